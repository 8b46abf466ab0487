#!/usr/bin/env python3
"""Trains the network of examples/train in PyTorch on the CPU, and with -kansu
runs that program in turn, on as many threads:

    go build -o /tmp/train ./examples/train
    python3 docs/benchmarks/torch_train.py -threads 2 -kansu /tmp/train

The same digits, batches, initial distribution and optimizer; each epoch ends
with the digits of the test, as there. What a process needs to start is left out
on both sides.
"""
import argparse
import gzip
import os
import re
import statistics
import subprocess
import sys
import time

KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"}  # see torch_peer.py
if any(k not in os.environ for k in KEEP):
    os.environ.update(KEEP)
    os.execv(sys.executable, [sys.executable] + sys.argv)

import torch
import torch.nn.functional as F
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))


def load(path):
    with gzip.open(path, "rt") as f:
        rows = [[float(v) for v in line.split(",")] for line in f if line.strip()]
    x = torch.tensor(rows)
    return x[:, :64].reshape(-1, 1, 8, 8) / 16, x[:, 64].long()


def network():
    layers = []
    for c, out in ((1, 32), (32, 64)):
        layers += [nn.Conv2d(c, out, 3, padding=1), nn.BatchNorm2d(out), nn.Mish(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 10))


def train(x, labels, epochs, batch, seed):
    """Returns the seconds of all epochs and the share of the test that is right."""
    torch.manual_seed(seed)
    size = 1437
    start = time.perf_counter()
    net = network()
    opt = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(epochs):
        net.train()
        total = 0.0
        order = torch.randperm(size)
        for at in range(0, size, batch):
            which = order[at:at + batch]
            opt.zero_grad(set_to_none=True)
            loss = F.cross_entropy(net(x[which]), labels[which])
            loss.backward()
            opt.step()
            total += loss.item()
        net.eval()
        with torch.no_grad():
            right = (net(x[size:]).argmax(1) == labels[size:]).float().mean().item()
    return time.perf_counter() - start, right


def kansu(path, epochs, batch, threads):
    """Runs examples/train in pure Go and returns what it says of its last epoch."""
    env = dict(os.environ, GOMAXPROCS=str(threads))
    out = subprocess.run([path, "-adapter", "cpu", "-o", "", "-epochs", str(epochs), "-batch", str(batch)],
                         env=env, check=True, capture_output=True, text=True).stdout
    m = re.findall(r"([\d.]+)% of the test digits right, (?:(\d+)m)?([\d.]+)(m?s)", out)[-1]
    seconds = float(m[2]) / (1000 if m[3] == "ms" else 1) + 60 * float(m[1] or 0)
    return seconds, float(m[0]) / 100


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-threads", type=int, default=2)
    p.add_argument("-epochs", type=int, default=15)
    p.add_argument("-batch", type=int, default=64)
    p.add_argument("-rounds", type=int, default=3)
    p.add_argument("-kansu", default="", help="the built examples/train, to run in turn")
    p.add_argument("-digits", default=os.path.join(HERE, "../../examples/train/digits/digits.csv.gz"))
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    x, labels = load(o.digits)
    train(x, labels, 1, o.batch, 0)  # warms up
    times = {"PyTorch " + torch.__version__: [], "kansu": []}
    for seed in range(1, o.rounds + 1):
        for name, seconds in times.items():
            if name != "kansu":
                s, right = train(x, labels, o.epochs, o.batch, seed)
            elif o.kansu:
                time.sleep(0.1)  # the threads of OpenMP fall asleep
                s, right = kansu(o.kansu, o.epochs, o.batch, o.threads)
            else:
                continue
            seconds.append(s)
            print(f"{name}: {o.epochs} epochs in {s:.3f} s, {100 * right:.1f}% right", flush=True)
    a, b = times.values()
    if b:
        print(f"{o.threads} threads: PyTorch {statistics.median(a):.3f} s, kansu {statistics.median(b):.3f} s, "
              f"ratio {statistics.median(x / y for x, y in zip(a, b)):.2f} (above 1: kansu is faster)")


if __name__ == "__main__":
    main()
