package cases

import (
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// TuneShapes returns what kansu tune measures: the named workloads of single
// functions that have a choice among kernels, and a grid of further shapes, as
// networks have them, with their gradients. Names of the grid begin with the
// function's.
func TuneShapes() []Workload {
	var all []Workload
	for _, w := range append(Workloads(), RestWorkloads()...) {
		if tunable(w) {
			all = append(all, w)
		}
	}
	for _, grid := range [][]Workload{tuneProducts(), tuneConvs(), tuneTransposed(), tunePools(), tuneNorms(), tuneRest()} {
		all = append(all, grid...)
		for _, w := range gradients(grid) {
			if tunable(w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// tunable reports whether a workload is one call that may have several kernels to
// choose from.
func tunable(w Workload) bool {
	switch c := w.Case.(type) {
	case *NetworkCase, *TrainCase, *ClipCase:
		return false
	case *GemmGradCase: // two products, of shapes that the grid has
		return false
	case *ConvGradCase:
		return c.Of != ""
	case *ConvTransposeGradCase:
		return c.Of != ""
	}
	switch w.Function { // of one kernel
	case "activation", "activation_grad", "fused", "dropout", "batchnorm", "loss", "loss_grad", "crossentropy", "crossentropy_grad",
		"sgd", "adam", "unpool", "unpool_grad", "reduce_grad", "binary_grad", "pad_grad", "upsample_grad":
		return false
	}
	return true
}

func joined(v []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", "x"), "[]") }

// tuneProducts: square, few rows, few columns, deep, matrix times vector, all
// transposes, batches.
func tuneProducts() []Workload {
	var all []Workload
	for _, s := range [][3]int{ // m, n, k
		{32, 32, 32}, {64, 64, 64}, {128, 128, 128}, {256, 256, 256}, {4096, 4096, 4096},
		{1, 1000, 512}, {1, 1024, 1024}, {1, 4096, 4096}, {4, 1024, 1024}, {8, 1024, 1024}, {16, 1024, 1024}, {32, 1024, 1024},
		{8, 4096, 1024}, {32, 1000, 2048}, {128, 768, 768}, {128, 3072, 768}, {128, 768, 3072}, {197, 768, 768}, {512, 512, 64}, {512, 64, 512},
		{4096, 16, 64}, {4096, 64, 64}, {16, 4096, 64}, {64, 64, 4096}, {16, 16, 8192},
		{1024, 1, 1024}, {4096, 1, 4096}, {33, 65, 127}, {255, 257, 129},
	} {
		for form := range 4 {
			c := &GemmCase{}
			c.Params.TransA, c.Params.TransB = form&1 == 1, form&2 == 2
			c.A, c.B = matrix(s[0], s[2], c.Params.TransA), matrix(s[2], s[1], c.Params.TransB)
			name := fmt.Sprintf("gemm_%s_%s", [...]string{"nn", "tn", "nt", "tt"}[form], joined(s[:]))
			all = append(all, Workload{name, "gemm", c})
		}
	}
	for _, s := range [][4]int{{96, 197, 197, 64}, {96, 197, 64, 197}, {12, 128, 128, 64}, {12, 128, 64, 128}, {64, 64, 64, 64}, {256, 16, 16, 16}, {8, 512, 512, 512}} {
		c := &MatMulCase{A: []int{s[0], s[1], s[3]}, B: []int{s[0], s[3], s[2]}}
		all = append(all, Workload{"gemm_batched_" + joined(s[:]), "matmul", c})
	}
	return all
}

// tuneConvs: the layers of ResNet-50, VGG, SqueezeNet, MobileNet and U-Net, for
// one image and for eight, and some in one and three dimensions.
func tuneConvs() []Workload {
	var all []Workload
	add := func(batch int, w []int, groups, stride, pad, dilation int, in ...int) {
		c := &ConvCase{X: append([]int{batch, w[1] * groups}, in...), W: w, Bias: true,
			Params: ops.ConvParams{Groups: groups, Stride: []int{stride}, Padding: []int{pad}, Dilation: []int{dilation}}}
		all = append(all, Workload{fmt.Sprintf("conv_%s_w%s_g%d_s%d_d%d", joined(c.X), joined(w), groups, stride, dilation), "conv", c})
	}
	for _, batch := range []int{1, 8} {
		for _, s := range [][3]int{{64, 64, 56}, {64, 256, 56}, {256, 64, 56}, {256, 128, 56}, {128, 512, 28}, {512, 128, 28},
			{256, 1024, 14}, {1024, 256, 14}, {512, 2048, 7}, {2048, 512, 7}, {96, 16, 54}, {16, 64, 54}, {64, 16, 54}, {128, 32, 27}, {32, 128, 27},
			{256, 48, 27}, {48, 192, 27}, {384, 64, 13}, {64, 256, 13}, {512, 1000, 13}, {32, 16, 112}, {16, 96, 112}, {144, 24, 56}, {320, 1280, 7}} {
			add(batch, []int{s[1], s[0], 1, 1}, 1, 1, 0, 1, s[2], s[2])
		}
		for _, s := range [][3]int{{256, 512, 56}, {512, 1024, 28}, {1024, 2048, 14}} {
			add(batch, []int{s[1], s[0], 1, 1}, 1, 2, 0, 1, s[2], s[2])
		}
		for _, s := range [][3]int{{64, 64, 56}, {128, 128, 28}, {256, 256, 14}, {512, 512, 7}, {3, 64, 224}, {64, 64, 224}, {64, 128, 112},
			{128, 256, 56}, {256, 512, 28}, {512, 512, 14}, {16, 64, 54}, {32, 128, 27}, {48, 192, 27}, {64, 256, 13}} {
			add(batch, []int{s[1], s[0], 3, 3}, 1, 1, 1, 1, s[2], s[2])
		}
		for _, s := range [][3]int{{128, 128, 56}, {256, 256, 28}, {512, 512, 14}, {3, 32, 224}} {
			add(batch, []int{s[1], s[0], 3, 3}, 1, 2, 1, 1, s[2], s[2])
		}
		add(batch, []int{64, 3, 7, 7}, 1, 2, 3, 1, 224, 224)
		add(batch, []int{64, 32, 5, 5}, 1, 1, 2, 1, 28, 28)
		add(batch, []int{64, 64, 3, 3}, 1, 1, 2, 2, 56, 56)
		add(batch, []int{128, 4, 3, 3}, 32, 1, 1, 1, 56, 56)
		for _, s := range [][3]int{{32, 112, 1}, {96, 112, 2}, {144, 56, 1}, {144, 56, 2}, {192, 28, 1}, {384, 14, 1}, {576, 14, 2}, {960, 7, 1}} {
			add(batch, []int{s[0], 1, 3, 3}, s[0], s[2], 1, 1, s[1], s[1])
		}
		add(batch, []int{240, 1, 5, 5}, 240, 1, 2, 1, 14, 14)
		add(batch, []int{64, 64, 9}, 1, 1, 4, 1, 1024)
		add(batch, []int{256, 256, 3}, 1, 1, 1, 1, 512)
		add(batch, []int{16, 3, 3, 3, 3}, 1, 1, 1, 1, 16, 32, 32)
		add(batch, []int{32, 32, 3, 3, 3}, 1, 2, 1, 1, 16, 32, 32)
	}
	return all
}

func tuneTransposed() []Workload {
	var all []Workload
	add := func(w []int, stride, pad int, in ...int) {
		c := &ConvTransposeCase{X: append([]int{1, w[0]}, in...), W: w, Bias: true,
			Params: ops.ConvTransposeParams{Stride: []int{stride}, Padding: []int{pad}}}
		all = append(all, Workload{fmt.Sprintf("convtranspose_%s_w%s_s%d", joined(c.X), joined(w), stride), "convtranspose", c})
	}
	add([]int{512, 256, 4, 4}, 2, 1, 4, 4)
	add([]int{256, 128, 4, 4}, 2, 1, 16, 16)
	add([]int{64, 3, 4, 4}, 2, 1, 64, 64)
	add([]int{128, 64, 2, 2}, 2, 0, 56, 56)
	add([]int{64, 32, 3, 3}, 2, 1, 32, 32)
	add([]int{64, 64, 3, 3}, 1, 1, 28, 28)
	add([]int{64, 32, 4}, 2, 1, 1024)
	add([]int{32, 16, 2, 2, 2}, 2, 0, 8, 16, 16)
	return all
}

func tunePools() []Workload {
	var all []Workload
	for _, kind := range []string{"max", "avg"} {
		add := func(x []int, global bool, kernel, stride, pad int) {
			c := &PoolCase{Kind: kind, X: x, Global: global}
			if !global {
				c.Params = spec.PoolParams{Kernel: []int{kernel}, Stride: []int{stride}, Padding: []int{pad}}
			}
			all = append(all, Workload{fmt.Sprintf("%spool_%s_k%d_s%d", kind, joined(x), kernel, stride), kind + "pool", c})
		}
		for _, batch := range []int{1, 8} {
			add([]int{batch, 64, 112, 112}, false, 3, 2, 1)
			add([]int{batch, 64, 224, 224}, false, 2, 2, 0)
			add([]int{batch, 256, 56, 56}, false, 2, 2, 0)
			add([]int{batch, 512, 14, 14}, false, 2, 2, 0)
			add([]int{batch, 96, 55, 55}, false, 3, 2, 0)
			add([]int{batch, 256, 13, 13}, false, 5, 1, 2)
			add([]int{batch, 2048, 7, 7}, true, 0, 0, 0)
			add([]int{batch, 1000, 13, 13}, true, 0, 0, 0)
			add([]int{batch, 64, 56, 56}, true, 0, 0, 0)
		}
		add([]int{8, 64, 4096}, false, 2, 2, 0)
		add([]int{1, 32, 16, 32, 32}, false, 2, 2, 0)
		add([]int{1, 16, 128, 128}, false, 32, 32, 0)
	}
	return all
}

func tuneNorms() []Workload {
	var all []Workload
	add := func(function string, x []int, c Case) {
		all = append(all, Workload{function + "_" + joined(x), function, c})
	}
	for _, rows := range []int{1, 64, 512, 4096} {
		for _, n := range []int{64, 256, 768, 4096} {
			x := []int{rows, n}
			add("layernorm", x, &LayerNormCase{X: x, Scale: true, Shift: true})
			add("rmsnorm", x, &RMSNormCase{X: x, Scale: true})
		}
	}
	for _, x := range [][]int{{1, 64, 112, 112}, {8, 256, 14, 14}, {1, 256, 56, 56}, {32, 512, 7, 7}, {8, 32, 4096}, {1, 16, 16, 32, 32}} {
		add("batchnorm_train", x, &BatchNormTrainCase{X: x, Scale: true, Shift: true, Running: true})
		add("instancenorm", x, &InstanceNormCase{X: x, Scale: true, Shift: true})
		add("groupnorm", x, &GroupNormCase{X: x, Scale: true, Shift: true, Params: ops.GroupNormParams{Groups: 8}})
	}
	for _, x := range [][]int{{64, 256}, {1024, 128}} {
		add("batchnorm_train", x, &BatchNormTrainCase{X: x, Scale: true, Shift: true, Running: true})
	}
	return all
}

// tuneRest: softmax, reductions, Lp normalizations, transpositions.
func tuneRest() []Workload {
	var all []Workload
	for _, s := range []struct {
		x    []int
		axis int
	}{{[]int{1, 1000}, 1}, {[]int{64, 1000}, 1}, {[]int{2364, 197}, 1}, {[]int{12, 128, 128}, 2}, {[]int{4096, 32}, 1}, {[]int{8192, 10}, 1},
		{[]int{8, 32000}, 1}, {[]int{1, 21, 256, 256}, 1}, {[]int{8, 256, 49}, 1}} {
		all = append(all, Workload{fmt.Sprintf("softmax_%s_axis%d", joined(s.x), s.axis), "softmax", &SoftmaxCase{X: s.x, Axis: s.axis}})
		all = append(all, Workload{fmt.Sprintf("lpnormalize_%s_axis%d", joined(s.x), s.axis), "lpnormalize",
			&LpNormalizeCase{X: s.x, Axis: s.axis, Params: ops.LpNormalizeParams{P: 2}}})
	}
	for _, s := range []struct{ x, axes []int }{{[]int{1 << 20}, nil}, {[]int{1 << 24}, nil}, {[]int{1024, 1024}, []int{1}}, {[]int{1024, 1024}, []int{0}},
		{[]int{64, 4096}, []int{1}}, {[]int{4096, 64}, []int{0}}, {[]int{16, 65536}, []int{1}}, {[]int{65536, 16}, []int{1}}, {[]int{8, 64, 56, 56}, []int{0, 2, 3}}} {
		all = append(all, Workload{fmt.Sprintf("reduce_%s_axes%s", joined(s.x), joined(s.axes)), "reduce",
			&ReduceCase{Func: "sum", X: s.x, Params: ops.ReduceParams{Axes: s.axes}}})
	}
	for _, s := range []struct{ x, perm []int }{{[]int{1024, 1024}, []int{1, 0}}, {[]int{33, 1025}, []int{1, 0}}, {[]int{8, 12, 197, 64}, []int{0, 2, 1, 3}},
		{[]int{8, 197, 12, 64}, []int{0, 2, 3, 1}}, {[]int{8, 64, 56, 56}, []int{0, 2, 3, 1}}, {[]int{8, 56, 56, 64}, []int{0, 3, 1, 2}}} {
		all = append(all, Workload{fmt.Sprintf("transpose_%s_to%s", joined(s.x), joined(s.perm)), "transpose", &TransposeCase{s.x, s.perm}})
	}
	return all
}
