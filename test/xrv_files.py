"""xrv_files.py - TorchXRayVision's files, as torchxrayvision 1.5.7 and PyTorch write them, by hand:

    python3 test/xrv_files.py                      the files of test/xrv, a few tensors each
    python3 test/xrv_files.py ./thorax IMAGE...    its classes with random weights, of published names and not, saved whole, as
                                                   state_dict and as safetensors, against `thorax predict`; images of 224 x 224

The last line is `largest difference X`.
"""
import csv
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision
import torchxrayvision as xrv
from PIL import Image
from safetensors.torch import save_file

NAN = float("nan")


def bare(**attributes):
    """An object of its class without its network."""
    m = xrv.models.DenseNet.__new__(xrv.models.DenseNet)
    torch.nn.Module.__init__(m)
    m.register_buffer("op_threshs", None)
    m.register_buffer("scale", torch.ones(1))
    for key, value in attributes.items():
        setattr(m, key, value)
    return m


def fixtures():
    t = torch.tensor([0.25, NAN, 0.75, 0.5])
    torch.save(bare(op_threshs=t, targets=["Edema", "", "Pleural_Thickening", "Effusion"], pathologies=["other"],
                    input_resolution=96), "test/xrv/whole.pt")
    torch.save(bare(), "test/xrv/class.pt")
    old = bare(pathologies=["Mass", "Nodule", "Hernia", "Edema"])
    del old._buffers["op_threshs"]
    old.op_threshs = None
    old.__dict__["op_threshs"] = t.double()
    torch.save(old, "test/xrv/attribute.pt")
    torch.save(bare(op_threshs=t, targets=["a", "b,c", "d", "e"]), "test/xrv/comma.pt")
    torch.save(bare(op_threshs=t.reshape(2, 2)), "test/xrv/square.pt")
    torch.save(bare(op_threshs=t.long()), "test/xrv/whole-numbers.pt")


def calibrate(m, x):
    """Running statistics of the images, so that random weights give outputs that differ."""
    norms = [k for k in m.modules() if isinstance(k, torch.nn.BatchNorm2d)]
    for k in norms:
        k.momentum = None
        k.reset_running_stats()
    with torch.no_grad():
        m.train()(x)
    for k in norms:
        k.momentum = 0.1
    return m.eval()


def predicted(thorax, path, images, *more):
    out = subprocess.run([thorax, "predict", path, *images, "--quiet", *more], check=True, capture_output=True, text=True)
    rows = list(csv.reader(out.stdout.splitlines()))
    return rows[0][1:], np.array([[float(v) for v in row[1:]] for row in rows[1:]])


def compare(thorax, images):
    worst = 0.0
    torch.manual_seed(7)
    pixels = [np.asarray(Image.open(f)) for f in images]
    pixels = [p if p.ndim == 2 else p[:, :, 0] for p in pixels]
    x = torch.tensor(np.stack([xrv.utils.normalize(p, 255)[None] for p in pixels]))
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)

        def check(path, model, names, *more):
            nonlocal worst
            with torch.no_grad():
                wanted = model(x).numpy()
            header, found = predicted(thorax, path, images, *more)
            here = float(np.abs(found - wanted).max())
            worst = max(worst, here)
            assert header == [n or "p_%d" % i for i, n in enumerate(names)], (path, header)
            print("%-70s %.2g" % (os.path.basename(path), here))

        m = calibrate(xrv.models.DenseNet(), x)
        for weights in ("nih", "rsna", "all"):
            url = xrv.models.model_urls["densenet121-res224-" + weights]["weights_url"]
            file = at(os.path.basename(url))
            torch.save(m, file)
            published = xrv.models.DenseNet(weights="densenet121-res224-" + weights, cache_dir=folder)
            check(file, published, published.targets)
            torch.save(published, at("saved.pt"))
            check(at("saved.pt"), published, published.targets)
        for name, t in (("a.pt", torch.rand(18)), ("b.pt", torch.tensor([NAN, 0.5] * 9))):
            m.op_threshs = t
            torch.save(m, at(name))
            check(at(name), m, m.targets)
        torch.save(m.state_dict(), at("state.pt"))
        check(at("state.pt"), m, m.targets)
        torch.save(m.state_dict(), at("legacy.pt"), _use_new_zipfile_serialization=False)
        check(at("legacy.pt"), m, m.targets)
        save_file(m.state_dict(), at("m.safetensors"))
        check(at("m.safetensors"), m, m.targets)
        m.op_threshs = None
        torch.save(m, at("logits.pt"))
        check(at("logits.pt"), m, m.targets, "--logits")
        r = torchvision.models.resnet50(num_classes=18)
        r.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        url = xrv.models.model_urls["resnet50-res512-all"]["weights_url"]
        torch.save(calibrate(r, x).state_dict(), at(os.path.basename(url)))
        r = xrv.models.ResNet(weights="resnet50-res512-all", cache_dir=folder)
        r.input_resolution = 224
        torch.save(r, at("resnet.pt"))
        check(at(os.path.basename(url)), r, r.targets, "--size", "224")
        check(at("resnet.pt"), r, r.targets)
    print("largest difference %.3g" % worst)


if len(sys.argv) > 2:
    compare(sys.argv[1], sys.argv[2:])
else:
    fixtures()
