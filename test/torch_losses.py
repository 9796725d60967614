"""torch_losses.py - the losses of the first steps beside PyTorch's, from the same weights and batches.

    python3 test/torch_losses.py [--net resnet18] [--size 128] [--steps 50] [--batch 16] [--seed 0]

Needs torch, torchvision, safetensors, Pillow, numpy, and ./thorax. Makes random weights with torchvision, lets thorax
train on the sample from them by SGD (lr 0.01, momentum 0.9), and runs the same steps in PyTorch with one thread, with
two, and in float64. Prints the largest difference so far among PyTorch's own runs and ours from their float64 run.
A value within rounding of 0 before a ReLU can fall on either side; then gradients differ by some tenths of a percent,
and from there on the losses too: another --seed (of the weights) tells such a case from a mistake.
The order of the images is repeated here: a sort by 64 bits of Philox 4x32-10, as tx_random_permutation has it."""
import argparse, csv, os, subprocess, tempfile

import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def permutation(seed, epoch, n, purpose=2):
    keys = []
    for i in range(0, n, 2):
        w = philox([i // 2, 0, epoch & 0xFFFFFFFF, purpose << 24], [seed & 0xFFFFFFFF, seed >> 32])
        keys += [((w[0] << 32 | w[1]), i), ((w[2] << 32 | w[3]), i + 1)]
    return [i for _, i in sorted(keys[:n])]


def load(data, size):
    rows = list(csv.reader(open(os.path.join(data, "train.csv"))))
    tasks = rows[0][5:]
    images, labels = [], []
    for r in rows[1:]:
        path = os.path.join(data, r[0][r[0].index("train/"):])
        im = Image.open(path)
        w, h = im.size
        assert w == h, "square images only: then there is nothing to crop"
        a = np.asarray(im.resize((size, size), Image.BILINEAR)).astype(np.float64) / 255.0
        images.append(((a - 0.5020) / 0.085585).astype(np.float32))
        labels.append([1.0 if c and float(c) == 1 else 0.0 for c in r[5:5 + len(tasks)]])
    return np.stack(images), np.array(labels, np.float32)


def run(net, state, x, y, order, batch, steps, dtype, threads):
    torch.set_num_threads(threads)
    model = getattr(torchvision.models, net)(num_classes=14)
    model.load_state_dict(state)
    model = model.to(dtype).train()
    opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    losses, at, epoch = [], 0, 0
    for _ in range(steps):
        if at >= len(x):
            at, epoch = 0, epoch + 1
        idx = order(epoch)[at:at + batch]
        at += len(idx)
        images = torch.from_numpy(x[idx]).to(dtype)[:, None].expand(-1, 3, -1, -1).contiguous()
        opt.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(images), torch.from_numpy(y[idx]).to(dtype))
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return np.array(losses)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--net", default="resnet18")
    p.add_argument("--size", type=int, default=128)
    p.add_argument("--steps", type=int, default=50)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--seed", type=int, default=0, help="of the initial weights")
    p.add_argument("--first-epoch", type=int, default=0, help="the number that shuffles the first epoch")
    p.add_argument("--data", default="bench/nih-sample-128")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    state = getattr(torchvision.models, a.net)(num_classes=14).state_dict()
    with tempfile.TemporaryDirectory() as d:
        weights = os.path.join(d, a.net + ".safetensors")
        save_file({k: v.contiguous() for k, v in state.items()}, weights)
        subprocess.run(["./thorax", "train", "--net", a.net, "--init", weights, "--data", a.data, "--size", str(a.size),
                        "--batch", str(a.batch), "--optimizer", "sgd", "--lr", "0.01", "--momentum", "0.9", "--steps",
                        str(a.steps), "--normalize", "chexpert", "--eval-every", "1000000", "--quiet", "--out", os.path.join(d, "run")],
                       check=True, stdout=subprocess.DEVNULL)
        ours = np.array([float(r["loss"]) for r in csv.DictReader(open(os.path.join(d, "run", "log.csv")))])
    x, y = load(a.data, a.size)
    orders = {}

    def order(epoch):
        e = epoch + a.first_epoch
        return orders.setdefault(e, permutation(0, e, len(x)))

    runs = [run(a.net, state, x, y, order, a.batch, a.steps, t, n) for t, n in ((torch.float64, 2), (torch.float32, 1), (torch.float32, 2))]
    print("step   thorax     float64    |ours-f64|   PyTorch's own (largest so far)   ratio")
    own = 0.0
    worst = 0.0
    for i in range(a.steps):
        own = max(own, max(abs(p[i] - q[i]) for p in runs for q in runs))
        diff = abs(ours[i] - runs[0][i])
        worst = max(worst, diff / own)
        if i < 5 or (i + 1) % 5 == 0:
            print("%4d %10.6f %10.6f   %.3g   %.3g   %.2f" % (i + 1, ours[i], runs[0][i], diff, own, diff / own))
    print("first 5 steps: largest difference %.3g (1e-3 allowed); %d steps: worst ratio to PyTorch's own %.2f (10 allowed)" %
          (max(abs(ours[:5] - runs[0][:5])), a.steps, worst))


if __name__ == "__main__":
    main()
