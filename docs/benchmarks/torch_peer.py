#!/usr/bin/env python3
"""Times the workloads of `kansu bench` in PyTorch, forward and backward.

As a peer, in turn with kansu within one run (what the ratios should come from):

    kansu bench -device cpu -beside 'python3 docs/benchmarks/torch_peer.py'

Alone, into a file that `kansu bench -beside torch.json` joins later:

    python3 docs/benchmarks/torch_peer.py -device cuda -json torch.json

float32 throughout, without TF32; on a GPU by CUDA's events. It needs nothing
but PyTorch. As a peer it answers each line on its input, a JSON object with a
workload's name, a number of input sets to rotate through and a time, with one
line of its own: the nanoseconds of each call. Where the object names a folder
in "save", the inputs and the result of a call are left there.
"""
import argparse
import json
import os
import re
import sys
import time

# glibc gives large blocks back to the system with each free, and a fresh page
# costs more than the arithmetic of a cheap function on it. These settings keep
# them; they are read when a process starts. OpenBLAS's threads, where it is the
# BLAS, would keep a core busy long after their work, and slow what is timed next:
# here they do so for 2^20 cycles.
KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1", "OPENBLAS_THREAD_TIMEOUT": "20"}
if any(k not in os.environ for k in KEEP):
    os.environ.update(KEEP)
    os.execv(sys.executable, [sys.executable] + sys.argv)

import torch
import torch.nn.functional as F
from torch import nn

aten = torch.ops.aten
MAPS = (8, 64, 112, 112)
ROTATE = 256 << 20  # inputs rotate until they exceed this, in at most 4 sets


class Bench:
    """One workload: make() draws a set of inputs, call(*inputs) runs it."""

    def __init__(self, make, call, note=""):
        self.make, self.call, self.note = make, call, note


def randn(*shape):
    return torch.randn(shape, device=DEVICE)


def uniform(*shape):
    return torch.rand(shape, device=DEVICE)


def gemm(n):
    return Bench(lambda: (randn(n, n), randn(n, n)), torch.mm, BLAS_NOTE)


def linear():
    return Bench(lambda: (randn(64, 1024), randn(1000, 1024), randn(1000)), F.linear, BLAS_NOTE)


def conv(x, w, stride=1, pad=0, groups=1, transposed=False):
    """Returns the workloads forward and backward (to input and weight)."""
    d = len(x) - 2
    p = ([stride] * d, [pad] * d, [1] * d, transposed, [0] * d, groups)
    out = w[1] * groups if transposed else w[0]

    def forward():
        return randn(*x), randn(*w), randn(out)

    def backward():
        a, b = randn(*x), randn(*w)
        y = torch.convolution(a, b, None, *p)
        return randn(*y.shape), a, b

    return (Bench(forward, lambda a, b, c: torch.convolution(a, b, c, *p)),
            Bench(backward, lambda dy, a, b: aten.convolution_backward(dy, a, b, None, *p, [True, True, False])))


def activation(f, grad):
    n = 1 << 24
    return Bench(lambda: (randn(n),), f), Bench(lambda: (randn(n), randn(n)), grad)


def maxpool():
    p = ([3, 3], [2, 2], [1, 1], [1, 1], False)

    def backward():
        x = randn(*MAPS)
        y, at = aten.max_pool2d_with_indices(x, *p)
        return torch.randn_like(y), x, at

    return (Bench(lambda: (randn(*MAPS),), lambda x: F.max_pool2d(x, 3, 2, 1)),
            Bench(backward, lambda dy, x, at: aten.max_pool2d_with_indices_backward(dy, x, *p, at)))


def avgpool():
    return (Bench(lambda: (randn(*MAPS),), lambda x: F.avg_pool2d(x, 2, 2)),
            Bench(lambda: (randn(8, 64, 56, 56), randn(*MAPS)),
                  lambda dy, x: aten.avg_pool2d_backward(dy, x, [2, 2], [2, 2], [0, 0], False, True, None)))


def batchnorm():
    """Returns the workloads by name: PyTorch's backward has the statistics that
    its forward saved."""
    c = MAPS[1]

    def forward():
        return randn(*MAPS), randn(c), randn(c), randn(c), uniform(c) + 0.5

    def backward():
        x = randn(*MAPS)
        return randn(*MAPS), x, randn(c), x.mean((0, 2, 3)), 1 / (x.var((0, 2, 3), False) + 1e-5).sqrt(), uniform(c) + 0.5

    return {
        "bn_eval": Bench(forward, lambda x, w, b, m, v: F.batch_norm(x, m, v, w, b)),
        "bn_stats": Bench(lambda: (randn(*MAPS),), lambda x: torch.var_mean(x, (0, 2, 3), unbiased=False)),
        "bn_train": Bench(forward, lambda x, w, b, m, v: F.batch_norm(x, m, v, w, b, training=True)),
        "bn_eval_grad": Bench(backward, lambda dy, x, w, m, r, v: aten.native_batch_norm_backward(
            dy, x, w, m, v, None, None, False, 1e-5, [True, True, True])),
        "bn_train_grad": Bench(backward, lambda dy, x, w, m, r, v: aten.native_batch_norm_backward(
            dy, x, w, None, None, m, r, True, 1e-5, [True, True, True])),
    }


def layernorm():
    n, d = 4096, 1024

    def backward():
        x, w, b = randn(n, d), randn(d), randn(d)
        _, mean, rstd = aten.native_layer_norm(x, [d], w, b, 1e-5)
        return randn(n, d), x, mean, rstd, w, b

    return (Bench(lambda: (randn(n, d), randn(d), randn(d)), lambda x, w, b: F.layer_norm(x, (d,), w, b)),
            Bench(backward, lambda dy, x, m, r, w, b: aten.native_layer_norm_backward(dy, x, [d], m, r, w, b, [True] * 3)))


def groupnorm(groups):
    n, c, hw = MAPS[0], MAPS[1], MAPS[2] * MAPS[3]

    def backward():
        x, w, b = randn(*MAPS), randn(c), randn(c)
        _, mean, rstd = aten.native_group_norm(x, w, b, n, c, hw, groups, 1e-5)
        return randn(*MAPS), x, mean, rstd, w

    return (Bench(lambda: (randn(*MAPS), randn(c), randn(c)), lambda x, w, b: F.group_norm(x, groups, w, b)),
            Bench(backward, lambda dy, x, m, r, w: aten.native_group_norm_backward(
                dy, x, m, r, w, n, c, hw, groups, [True] * 3)))


def instancenorm():
    c = MAPS[1]

    def backward():
        with torch.enable_grad():
            x, w, b = (t.requires_grad_() for t in (randn(*MAPS), randn(c), randn(c)))
            y = F.instance_norm(x, weight=w, bias=b)
        return y, x, w, b, randn(*MAPS)

    return (Bench(lambda: (randn(*MAPS), randn(c), randn(c)), lambda x, w, b: F.instance_norm(x, weight=w, bias=b)),
            Bench(backward, lambda y, x, w, b, dy: torch.autograd.grad(y, (x, w, b), dy, retain_graph=True)))


class ConvAct(nn.Module):
    """A convolution, batch normalization where the network trains, ReLU."""

    def __init__(self, c, out, kernel, stride=1, pad=0, act=True, norm=False):
        super().__init__()
        self.conv = nn.Conv2d(c, out, kernel, stride, pad, bias=not norm)
        self.norm = nn.BatchNorm2d(out) if norm else None
        self.act = act
        nn.init.kaiming_uniform_(self.conv.weight)

    def forward(self, x):
        y = self.conv(x)
        if self.norm:
            y = self.norm(y)
        return F.relu_(y) if self.act else y


class Bottleneck(nn.Module):
    def __init__(self, c, width, stride, first, norm):
        super().__init__()
        self.body = nn.Sequential(ConvAct(c, width, 1, norm=norm), ConvAct(width, width, 3, stride, 1, norm=norm),
                                  ConvAct(width, 4 * width, 1, act=False, norm=norm))
        self.side = ConvAct(c, 4 * width, 1, stride, act=False, norm=norm) if first else nn.Identity()

    def forward(self, x):
        return F.relu_(self.body(x) + self.side(x))


def resnet50(norm=False):
    layers, c = [ConvAct(3, 64, 7, 2, 3, norm=norm), nn.MaxPool2d(3, 2, 1)], 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for i in range(blocks):
            layers.append(Bottleneck(c, 64 << stage, 2 if stage > 0 and i == 0 else 1, i == 0, norm))
            c = 256 << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


def vgg19():
    layers, c = [], 3
    for stage, count in enumerate((2, 2, 4, 4, 4)):
        for _ in range(count):
            layers.append(ConvAct(c, min(64 << stage, 512), 3, 1, 1))
            c = min(64 << stage, 512)
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(),
                         nn.Linear(4096, 1000))


class Fire(nn.Module):
    def __init__(self, c, squeeze):
        super().__init__()
        self.squeeze = ConvAct(c, squeeze, 1)
        self.one, self.three = ConvAct(squeeze, 4 * squeeze, 1), ConvAct(squeeze, 4 * squeeze, 3, 1, 1)

    def forward(self, x):
        s = self.squeeze(x)
        return torch.cat((self.one(s), self.three(s)), 1)


def squeezenet():
    layers, c = [ConvAct(3, 96, 7, 2), nn.MaxPool2d(3, 2)], 96
    for i, s in enumerate((16, 16, 32, 32, 48, 48, 64, 64)):
        if i in (3, 7):
            layers.append(nn.MaxPool2d(3, 2))
        layers.append(Fire(c, s))
        c = 8 * s
    return nn.Sequential(*layers, ConvAct(c, 1000, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def network(build, batch):
    return Bench(lambda: (build().to(DEVICE).eval(), 2 * uniform(batch, 3, 224, 224) - 1), lambda net, x: net(x))


def training(build, opt, *shape):
    """A training step: forward, cross-entropy, backward, optimizer."""
    def make():
        net = build().to(DEVICE).train()
        return net, opt(net.parameters()), uniform(*shape), torch.arange(shape[0], device=DEVICE) % 10

    def step(net, opt, x, labels):
        with torch.enable_grad():
            opt.zero_grad(set_to_none=True)
            F.cross_entropy(net(x), labels).backward()
            opt.step()

    return Bench(make, step)


def digits():
    """The network of examples/train."""
    layers = []
    for c, out in ((1, 32), (32, 64)):
        layers += [nn.Conv2d(c, out, 3, padding=1), nn.BatchNorm2d(out), nn.Mish(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 10))


def workloads():
    all = {
        "gemm512": gemm(512), "gemm1024": gemm(1024), "gemm2048": gemm(2048), "linear_64x1024x1000": linear(),
        "add_relu_8x256x56x56": Bench(lambda: (randn(8, 256, 56, 56), randn(8, 256, 56, 56)), lambda a, b: F.relu(a + b)),
        "gelu_mul_16M": Bench(lambda: (randn(1 << 24), randn(1 << 24)), lambda x, b: b * F.gelu(x)),
        "resnet50_b1": network(resnet50, 1), "resnet50_b8": network(resnet50, 8),
        "resnet50_bn_b1": network(lambda: resnet50(True), 1), "resnet50_bn_b8": network(lambda: resnet50(True), 8), "vgg19_b1": network(vgg19, 1),
        "vgg19_b8": network(vgg19, 8), "squeezenet_b1": network(squeezenet, 1), "squeezenet_b8": network(squeezenet, 8),
        "digits_b64_train": training(digits, lambda p: torch.optim.Adam(p, 1e-3), 64, 1, 8, 8),
        "resnet50_b8_train": training(lambda: resnet50(True), lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9), 8, 3, 224, 224),
    }
    both = {
        "conv3x3_64x56x56": conv((1, 64, 56, 56), (64, 64, 3, 3), pad=1),
        "conv3x3_256x14x14": conv((1, 256, 14, 14), (256, 256, 3, 3), pad=1),
        "conv1x1_256to64x56": conv((1, 256, 56, 56), (64, 256, 1, 1)),
        "conv7x7s2_3to64x224": conv((1, 3, 224, 224), (64, 3, 7, 7), stride=2, pad=3),
        "dwconv3x3_128x56": conv((1, 128, 56, 56), (128, 1, 3, 3), pad=1, groups=128),
        "conv1d_k9_8x64x4096": conv((8, 64, 4096), (64, 64, 9), pad=4),
        "conv3d_32x16x32x32": conv((1, 32, 16, 32, 32), (32, 32, 3, 3, 3), pad=1),
        "convT4x4s2_128to64x32": conv((1, 128, 32, 32), (128, 64, 4, 4), stride=2, pad=1, transposed=True),
        "maxpool3x3s2": maxpool(),
        "avgpool2x2s2": avgpool(),
        "relu_16M": activation(F.relu, lambda dy, x: aten.threshold_backward(dy, x, 0)),
        "gelu_16M": activation(F.gelu, lambda dy, x: aten.gelu_backward(dy, x)),
        "mish_16M": activation(F.mish, lambda dy, x: aten.mish_backward(dy, x)),
        "layernorm_4096x1024": layernorm(),
        "groupnorm32": groupnorm(32),
        "instancenorm": instancenorm(),
    }
    for name, (forward, backward) in both.items():
        all[name], all[name + "_grad"] = forward, backward
    all.update(batchnorm())
    return all


def size(values):
    total = 0
    for v in values:
        if isinstance(v, nn.Module):
            total += size(v.parameters())
        elif isinstance(v, torch.Tensor):
            total += v.numel() * v.element_size()
        elif isinstance(v, (tuple, list)):
            total += size(v)
    return total


class Runner:
    """Keeps the inputs of the workload that was timed last."""

    def __init__(self):
        self.all, self.name, self.sets = workloads(), "", []

    def time(self, name, seconds, sets=0, reps=3):
        """Returns the nanoseconds of each call, after calls that warm up."""
        bench = self.all[name]
        with torch.no_grad():
            if self.name != name:
                self.name, self.sets = name, []
                first = bench.make()
                out = bench.call(*first)
                sets = sets or min(4, 1 + ROTATE // max(1, size(first) + size([out])))
                del out
                self.sets = [first] + [bench.make() for _ in range(sets - 1)]
                for s in self.sets:
                    bench.call(*s)
            return (self.cuda if DEVICE == "cuda" else self.cpu)(bench.call, seconds, reps)

    def save(self, name, folder):
        """Writes what one call takes and returns, in the order of kansu's function;
        says whether it did: only forward calls of tensors alone."""
        inputs = self.sets[0]
        if name.endswith("_grad") or not all(isinstance(v, torch.Tensor) for v in inputs):
            return False
        with torch.no_grad():
            out = self.all[name].call(*inputs)
        if name == "bn_eval":
            inputs = [inputs[i] for i in (0, 3, 4, 1, 2)]
        out = out[::-1] if isinstance(out, tuple) else (out,)  # the variance comes before the mean
        for kind, values in (("in", inputs), ("out", out)):
            for i, v in enumerate(values):
                with open(os.path.join(folder, kind + str(i)), "wb") as f:
                    f.write(v.detach().cpu().contiguous().numpy().tobytes())
        return True

    def cpu(self, call, seconds, reps):
        ns, spent, i = [], 0, 0
        call(*self.sets[0])  # threads and clocks wake up
        while spent < seconds * 1e9 or len(ns) < reps:
            i += 1
            inputs = self.sets[i % len(self.sets)]
            start = time.perf_counter_ns()
            call(*inputs)
            ns.append(time.perf_counter_ns() - start)
            spent += ns[-1]
        return ns

    def cuda(self, call, seconds, reps):
        def batch(n):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            for i in range(n):
                call(*self.sets[i % len(self.sets)])
            end.record()
            end.synchronize()
            return start.elapsed_time(end) * 1e6

        batch(2)
        n = max(1, min(1000, int(20e6 / max(1, batch(1)))))
        ns, spent = [], 0
        while spent < seconds * 1e9 or len(ns) < reps:
            total = batch(n)
            spent += total
            ns.append(total / n)
        return ns


def blas_note():
    """A PyTorch built on a reference BLAS is no measure of matrix products."""
    build = torch.__config__.show()
    if DEVICE == "cpu" and "BLAS_INFO=generic" in build and "openblas" not in open("/proc/self/maps").read():
        return "generic BLAS: not a peer"
    return ""


def main():
    global DEVICE, BLAS_NOTE
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    p.add_argument("-threads", type=int, default=0, help="threads on the CPU; 0: as OMP_NUM_THREADS says")
    p.add_argument("-run", default=".", help="regular expression of the workloads")
    p.add_argument("-seconds", type=float, default=0.5, help="time for each workload")
    p.add_argument("-json", default="", help="time alone, and write the result to this file")
    o = p.parse_args()
    DEVICE = o.device
    if o.threads:
        torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    BLAS_NOTE = blas_note()
    about = {"peer": "PyTorch " + torch.__version__, "threads": torch.get_num_threads(),
             "device": torch.cuda.get_device_name() if DEVICE == "cuda" else "CPU"}
    runner = Runner()
    if o.json:
        about["measurements"] = []
        for name in runner.all:
            if re.search(o.run, name):
                print(name, file=sys.stderr)
                try:
                    about["measurements"].append({"workload": name, "ns": runner.time(name, o.seconds), "note": runner.all[name].note})
                except RuntimeError as e:
                    print(f"{name}: {e}", file=sys.stderr)
                    runner.name, runner.sets = "", []
        with open(o.json, "w") as f:
            json.dump(about, f)
        return
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        name = ask["workload"]
        answer = {"workload": name}
        if name in runner.all:
            try:
                answer["ns"] = runner.time(name, ask["seconds"], ask.get("sets", 0), ask.get("reps", 3))
                answer["note"] = runner.all[name].note
                answer["saved"] = bool(ask.get("save")) and runner.save(name, ask["save"])
            except RuntimeError as e:  # out of memory, or a function that this build lacks: the others go on
                print(f"{name}: {e}", file=sys.stderr)
                runner.name, runner.sets = "", []
                answer = {"workload": name, "note": "failed: " + str(e).splitlines()[0]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
