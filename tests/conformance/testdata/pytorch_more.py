#!/usr/bin/env python3
"""Writes pytorch_more.json: cases of what pytorch.json and other people's files
lack, computed by PyTorch in float64 on float32 inputs, with every gradient.

    python3 pytorch_more.py > pytorch_more.json
"""
import json
import math

import torch
import torch.nn.functional as F

torch.manual_seed(7)
cases = []


def rnd(*shape, offset=0.0):
    return (torch.randn(shape, dtype=torch.float64) + offset).float().double()


def number(v):
    if math.isnan(v):
        return "NaN"
    return "Infinity" if v == math.inf else "-Infinity" if v == -math.inf else v


def tensor(name, t, **more):
    if not t.is_floating_point():
        return {"name": name, "shape": list(t.shape), "dtype": "int64", "data": t.flatten().tolist(), **more}
    return {"name": name, "shape": list(t.shape), "dtype": "float32",
            "data": [number(v) for v in t.float().flatten().tolist()], **more}


def case(op, attrs, f, differentiate=("input",), **inputs):
    leaves = {k: v.clone().requires_grad_(k in differentiate) if v.is_floating_point() else v for k, v in inputs.items()}
    y = f(**leaves)
    more = {}
    if isinstance(y, tuple):
        y, more["indices"] = y
    dy = rnd(*y.shape)
    y.backward(dy)
    out = {"output": y.detach(), **more, **{"grad_" + k: leaves[k].grad for k in differentiate}}
    cases.append({
        "name": f"{op} {json.dumps(attrs)} of {' '.join(str(list(v.shape)) for v in inputs.values())}",
        "op": op, "dtypes": ["float32"], "attrs": attrs,
        "inputs": [tensor(k, v) for k, v in {**inputs, "grad_output": dy}.items()],
        "outputs": [tensor(k, v) for k, v in out.items()], "tolerance": {"rtol": 2e-5, "atol": 4e-6},
    })


# Paddings by a word, inputs without a batch, single numbers for all axes.
for pad in "same", "valid":
    case("conv2d", {"padding": pad, "dilation": [1, 2]}, lambda input, weight: F.conv2d(input, weight, padding=pad, dilation=(1, 2)),
         ("input", "weight"), input=rnd(2, 3, 7, 9), weight=rnd(2, 3, 2, 3))
case("conv1d", {"stride": 2, "padding": 1}, lambda input, weight, bias: F.conv1d(input, weight, bias, 2, 1),
     ("input", "weight", "bias"), input=rnd(3, 11), weight=rnd(2, 3, 4), bias=rnd(2))
case("conv_transpose2d", {"stride": 2}, lambda input, weight: F.conv_transpose2d(input, weight, stride=2),
     ("input", "weight"), input=rnd(3, 4, 5), weight=rnd(3, 2, 3, 2))
case("max_pool2d", {"kernel_size": 3}, lambda input: F.max_pool2d_with_indices(input, 3), input=rnd(2, 8, 9))
case("adaptive_avg_pool2d", {"output_size": [None, 2]}, lambda input: F.adaptive_avg_pool2d(input, [None, 2]), input=rnd(1, 2, 5, 7))
# A window larger than the input has a place where the division rounds up.
case("max_pool2d", {"kernel_size": [4, 3], "stride": [4, 3], "padding": [1, 0], "dilation": [2, 3], "ceil_mode": True},
     lambda input: F.max_pool2d_with_indices(input, (4, 3), (4, 3), (1, 0), (2, 3), True), input=rnd(1, 2, 2, 14))
# A shift without a scale; a group of one element.
for shape, norm in ([3, 4], [4]), ([5, 1], [1]):
    case("layer_norm", {"normalized_shape": norm, "eps": 1e-12}, lambda input, bias: F.layer_norm(input, norm, None, bias, 1e-12),
         ("input", "bias"), input=rnd(*shape), bias=rnd(*norm))
case("batch_norm", {"training": True}, lambda input, bias: F.batch_norm(input, None, None, None, bias, True),
     ("input", "bias"), input=rnd(4, 3, 2), bias=rnd(3))
case("group_norm", {"num_groups": 2, "eps": 1e-3}, lambda input, weight, bias: F.group_norm(input, 2, weight, bias, 1e-3),
     ("input", "weight", "bias"), input=rnd(3, 2, offset=500), weight=rnd(2), bias=rnd(2))
case("local_response_norm", {"size": 4, "alpha": 0.3, "beta": 0.5}, lambda input: F.local_response_norm(input, 4, 0.3, 0.5), input=rnd(2, 7, 3))
case("normalize", {"p": 3, "dim": -2}, lambda input: F.normalize(input, 3, -2), input=rnd(2, 5, 3))
case("celu", {"alpha": 0.7}, lambda input: F.celu(input, 0.7),
     input=torch.tensor([-math.inf, -3e38, -1.0, -0.0, 1e-30, 2.0, math.inf], dtype=torch.float64).float().double())
# Pooling by norms, and back from maxima.
case("lp_pool2d", {"norm_type": 3, "kernel_size": 2, "ceil_mode": True}, lambda input: F.lp_pool2d(input, 3, 2, ceil_mode=True), input=rnd(1, 2, 5, 6).abs() + 0.1)
case("lp_pool1d", {"norm_type": 2, "kernel_size": 3, "stride": 2}, lambda input: F.lp_pool1d(input, 2, 3, 2), input=rnd(2, 2, 9))
_, where = F.max_pool2d_with_indices(rnd(1, 2, 5, 7), 2)
case("max_unpool2d", {"kernel_size": [2, 2], "stride": [2, 2], "output_size": [5, 7]},
     lambda input, indices: F.max_unpool2d(input, indices, 2, output_size=(5, 7)), input=rnd(1, 2, 2, 3), indices=where)
# Losses.
for reduction in "mean", "sum", "none":
    r = {"reduction": reduction}
    for op in "mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits":
        case(op, r, lambda input, target: getattr(F, op)(input, target, **r), input=rnd(3, 4), target=torch.rand(3, 4, dtype=torch.float64).float().double())
    more = {**r, "ignore_index": 1, "label_smoothing": 0.2}
    case("cross_entropy", more, lambda input, target, weight: F.cross_entropy(input, target, weight, **more),
         input=rnd(4, 3, 2), target=torch.tensor([[0, 1], [2, 2], [1, 0], [0, 2]]), weight=torch.tensor([0.5, 2.0, 0.25], dtype=torch.float64))
case("cross_entropy", {}, lambda input, target: F.cross_entropy(input, target), input=rnd(5), target=torch.tensor(3))
case("smooth_l1_loss", {"beta": 0.0}, lambda input, target: F.smooth_l1_loss(input, target, beta=0.0), input=rnd(5), target=rnd(5))
# Resampling and padding.
for attrs in ({"mode": "bilinear", "size": [7, 3], "align_corners": True}, {"mode": "bilinear", "scale_factor": [1.7, 0.6]},
              {"mode": "nearest", "scale_factor": [2, 1.5]}, {"mode": "nearest-exact", "size": [2, 9]},
              {"mode": "bilinear", "scale_factor": [1.1, 2.0]},
              {"mode": "bilinear", "scale_factor": [1.7, 0.6], "recompute_scale_factor": True}):
    case("interpolate", attrs, lambda input: F.interpolate(input, **{k: tuple(v) if isinstance(v, list) else v for k, v in attrs.items()}), input=rnd(1, 2, 4, 5))
case("pad", {"pad": [1, 2, -1, 3], "value": 1.5}, lambda input: F.pad(input, (1, 2, -1, 3), value=1.5), input=rnd(2, 3, 4))
for mode in "reflect", "replicate", "circular":
    case("pad", {"pad": [2, 1, 0, 3], "mode": mode}, lambda input: F.pad(input, (2, 1, 0, 3), mode), input=rnd(1, 2, 4, 5))
# Arithmetic, reductions, shapes, products.
for op in "add", "sub", "mul", "div", "maximum", "minimum", "pow":
    case(op, {}, lambda input, other: getattr(torch, op)(input, other), ("input", "other"), input=rnd(3, 1, 4).abs() + 0.5, other=rnd(5, 1))
for op in "sum", "mean", "amax", "amin":
    case(op, {"dim": [0, -1], "keepdim": op == "sum"}, lambda input: getattr(torch, op)(input, dim=(0, -1), keepdim=op == "sum"), input=rnd(3, 2, 4).round())
case("cat", {"dim": -2}, lambda **xs: torch.cat(list(xs.values()), -2), ("input0", "input1", "input2"), input0=rnd(2, 1, 3), input1=rnd(2, 4, 3), input2=rnd(2, 2, 3))
case("permute", {"dims": [2, 0, -2]}, lambda input: input.permute(2, 0, -2), input=rnd(2, 3, 4))
case("transpose", {"dim0": -1, "dim1": 0}, lambda input: input.transpose(-1, 0), input=rnd(2, 3, 4))
case("expand", {"size": [3, 2, 4]}, lambda input: input.expand(3, 2, 4), input=rnd(2, 1))
case("flatten", {"start_dim": 1}, lambda input: input.flatten(1), input=rnd(2, 3, 4))
case("matmul", {}, lambda input, other: input @ other, ("input", "other"), input=rnd(4, 1, 2, 3), other=rnd(5, 3, 2))
case("matmul", {}, lambda input, other: input @ other, ("input", "other"), input=rnd(3), other=rnd(2, 3, 2))
case("bmm", {}, lambda input, mat2: input @ mat2, ("input", "mat2"), input=rnd(2, 2, 3), mat2=rnd(2, 3, 4))
case("addmm", {"beta": 0.5, "alpha": -2}, lambda input, mat1, mat2: torch.addmm(input, mat1, mat2, beta=0.5, alpha=-2),
     ("input", "mat1", "mat2"), input=rnd(2, 1), mat1=rnd(2, 3), mat2=rnd(3, 4))

lines = ",\n".join(json.dumps(c) for c in cases)
print('{"format": "conformance-v1", "suite": "pytorch", "family": "more, by pytorch_more.py with PyTorch %s", "cases": [\n%s\n]}' % (torch.__version__, lines))
