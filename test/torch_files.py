"""torch_files.py - the files of test/pth, as PyTorch writes them, by hand:

    python3 test/torch_files.py test/pth

and expected.txt, which test/io_torch.c reads: `file NAME`, `class NAME` of a whole module, then a line a tensor: name, type, sides.
Element i, in the order of indices, of tensor k holds ((7 i + 13 k) mod 64) / 8 - 4; in integers (7 i + 13 k) mod 64; in
booleans whether that is odd.
"""
import argparse
import collections
import inspect
import os
import pickle
import struct
import sys
import zipfile

import numpy as np
import torch

OUT = sys.argv[1]
LINES = []
NAMES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
         torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64"}


def values(k, shape, dtype):
    n = int(np.prod(shape))
    v = (np.arange(n) * 7 + 13 * k) % 64
    if dtype.is_floating_point:
        return torch.from_numpy(v / 8.0 - 4).to(dtype).reshape(shape)
    if dtype == torch.bool:
        return torch.from_numpy(v % 2 == 1).reshape(shape)
    return torch.from_numpy(v).to(dtype).reshape(shape)


def fill(state):
    """The same tensors with the values of their places; strides and storages stay."""
    for k, t in enumerate(state.values()):
        t.data.copy_(values(k, t.shape, t.dtype))
    return state


def expect(name, state, cls=None):
    LINES.append("file " + name)
    if cls:
        LINES.append("class " + cls)
    for key, t in state.items():
        LINES.append(" ".join([key, NAMES[t.dtype]] + [str(s) for s in t.shape]))


def save(name, what, state, cls=None, **options):
    torch.save(what, os.path.join(OUT, name), **options)
    expect(name, state, cls)


def net():
    return torch.nn.Sequential(collections.OrderedDict(
        conv=torch.nn.Conv2d(3, 2, 3, bias=False), norm=torch.nn.BatchNorm2d(2), fc=torch.nn.Linear(2, 5)))


def repack(source, name, change=lambda n, d: d, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(os.path.join(OUT, source)) as old, zipfile.ZipFile(os.path.join(OUT, name), "w", method) as new:
        for entry in old.namelist():
            info = zipfile.ZipInfo(entry, (2020, 1, 1, 0, 0, 0))
            info.compress_type = method
            new.writestr(info, change(entry, old.read(entry)))


class Old(pickle.Pickler):
    """Tensors as the files of 2017 have them: views of storages, _rebuild_tensor."""
    def persistent_id(self, o):
        return ("storage", torch.FloatStorage, "k", "cpu", 40, ("v", o.at, o.size)) if isinstance(o, View) else None


class View:
    def __init__(self, at, size):
        self.at, self.size = at, size


class Tensor:
    def __init__(self, *args):
        self.args = args

    def __reduce__(self):
        return torch._utils._rebuild_tensor, self.args


def of_2017(name):
    tensors = collections.OrderedDict(
        [("a.weight", Tensor(View(4, 12), 0, (3, 4), (4, 1))), ("a.bias", Tensor(View(4, 36), 20, (2, 3), (1, 2)))])
    numbers = [0.0] * 40
    for i, v in enumerate(values(0, (12,), torch.float32)):
        numbers[4 + i] = float(v)
    for i, v in enumerate(values(1, (2, 3), torch.float32).reshape(-1)):
        numbers[24 + i // 3 + i % 3 * 2] = float(v)
    with open(os.path.join(OUT, name), "wb") as f:
        pickle.dump(0x1950a86a20f9469cfc6c, f, 2)
        pickle.dump(1001, f, 2)
        pickle.dump(dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4)), f, 2)
        Old(f, 2).dump(tensors)
        pickle.dump(["k"], f, 2)
        f.write(struct.pack("<q40f", 40, *numbers))
    expect(name, collections.OrderedDict([("a.weight", torch.zeros(3, 4)), ("a.bias", torch.zeros(2, 3))]))


def main():
    torch.manual_seed(0)
    m = net()
    state = fill(m.state_dict())
    save("zip.pth", state, state)
    save("legacy.pth", state, state, _use_new_zipfile_serialization=False)
    save("protocol1.pth", state, state, pickle_protocol=1)
    save("protocol1-legacy.pth", state, state, pickle_protocol=1, _use_new_zipfile_serialization=False)
    save("protocol4.pth", state, state, pickle_protocol=4)
    save("protocol5-legacy.pth", state, state, pickle_protocol=5, _use_new_zipfile_serialization=False)
    repack("zip.pth", "deflated.pth", method=zipfile.ZIP_DEFLATED)
    expect("deflated.pth", state)

    def big(entry, data):
        if entry.endswith("byteorder"):
            return b"big"
        if "/data/" not in entry:
            return data
        return np.frombuffer(data, "<i8" if len(data) == 8 and entry.endswith("/5") else "<i4").byteswap().tobytes()
    repack("zip.pth", "big-endian.pth", big)
    expect("big-endian.pth", state)

    kinds = collections.OrderedDict(("%s" % NAMES[t].lower(), values(k, (2, 3), t)) for k, t in enumerate(NAMES))
    save("types.pth", kinds, kinds)
    old = collections.OrderedDict((n, t) for n, t in kinds.items() if n not in ("u16", "u32", "u64"))
    save("types-legacy.pth", old, old, _use_new_zipfile_serialization=False)

    w = torch.zeros(4, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    strided = collections.OrderedDict(last=w, turned=torch.zeros(5, 3).t(), every=torch.zeros(12)[1::3],
                                      scalar=torch.zeros(()), none=torch.zeros(0, 3))
    fill(strided)
    save("strided.pth", strided, strided)
    save("strided-legacy.pth", strided, strided, _use_new_zipfile_serialization=False)

    flat = torch.zeros(40)
    shared = collections.OrderedDict(a=flat[3:15].view(3, 4), b=flat[15:25].view(2, 5), c=flat[30:40:2])
    fill(shared)
    shared["d"] = torch.full((1,), float(values(3, (1,), torch.float32))).expand(1)
    save("shared.pth", shared, shared)
    save("shared-legacy.pth", shared, shared, _use_new_zipfile_serialization=False)
    of_2017("views-2017.pth")

    optimizer = torch.optim.Adam(m.parameters(), 1e-3)
    for p in m.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    fill(state)
    checkpoint = dict(epoch=np.int64(7), best_acc1=torch.tensor(0.75), args=argparse.Namespace(lr=0.1, gpu=None),
                      score=np.float32(0.5), history=np.arange(4), classes=["cat", "dog"], arch="tiny",
                      state_dict=collections.OrderedDict(("module." + k, v) for k, v in state.items()),
                      optimizer=optimizer.state_dict(), seen={"images"}, rng=torch.get_rng_state()[:16])
    wrapped = checkpoint["state_dict"]
    save("checkpoint.pth.tar", checkpoint, wrapped)
    only = dict(step=3, mine=state)
    save("only.pth", only, state)

    m.register_buffer("scale", torch.zeros(3))
    m.register_buffer("passing", torch.zeros(2), persistent=False)
    m.register_parameter("nothing", None)
    m.targets = ["Edema", "", "Mass"]
    m.op_threshs = values(3, (4,), torch.float32)
    m.ratio, m.apply_sigmoid, m.width = 0.25, False, 12
    fill(m.state_dict())
    cls = "torch.nn.modules.container.Sequential"
    save("module.pth", m, m.state_dict(), cls)
    inspect.getsourcelines = None  # else the classes' source is in the file
    save("module-legacy.pth", m, m.state_dict(), cls, _use_new_zipfile_serialization=False)
    save("within.pth", dict(model=m, epoch=3, note="seven"), m.state_dict(), cls)
    with open(os.path.join(OUT, "expected.txt"), "w") as f:
        f.write("\n".join(LINES) + "\n")


main()
