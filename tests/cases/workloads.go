package cases

import (
	"slices"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// Workload is a named case that is timed. The names and sizes are those that
// other libraries were measured with, so that figures can be set side by side.
type Workload struct {
	Name     string
	Function string // the row
	Case     Case
}

// Workloads returns the named workloads that other libraries were measured with;
// RestWorkloads those of the other functions.
func Workloads() []Workload {
	one := []int{1}
	maps := []int{8, 64, 112, 112}
	all := []Workload{
		{"gemm512", "matmul", &MatMulCase{A: []int{512, 512}, B: []int{512, 512}}},
		{"gemm1024", "matmul", &MatMulCase{A: []int{1024, 1024}, B: []int{1024, 1024}}},
		{"gemm2048", "matmul", &MatMulCase{A: []int{2048, 2048}, B: []int{2048, 2048}}},
		{"linear_64x1024x1000", "linear", &LinearCase{X: []int{64, 1024}, W: []int{1000, 1024}, Bias: true}},
		{"conv3x3_64x56x56", "conv", &ConvCase{X: []int{1, 64, 56, 56}, W: []int{64, 64, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: one}}},
		{"conv3x3_256x14x14", "conv", &ConvCase{X: []int{1, 256, 14, 14}, W: []int{256, 256, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: one}}},
		{"conv1x1_256to64x56", "conv", &ConvCase{X: []int{1, 256, 56, 56}, W: []int{64, 256, 1, 1}, Bias: true}},
		{"conv7x7s2_3to64x224", "conv", &ConvCase{X: []int{1, 3, 224, 224}, W: []int{64, 3, 7, 7}, Bias: true, Params: ops.ConvParams{Stride: []int{2}, Padding: []int{3}}}},
		{"dwconv3x3_128x56", "conv", &ConvCase{X: []int{1, 128, 56, 56}, W: []int{128, 1, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: one, Groups: 128}}},
		{"conv1d_k9_8x64x4096", "conv", &ConvCase{X: []int{8, 64, 4096}, W: []int{64, 64, 9}, Bias: true, Params: ops.ConvParams{Padding: []int{4}}}},
		{"conv3d_32x16x32x32", "conv", &ConvCase{X: []int{1, 32, 16, 32, 32}, W: []int{32, 32, 3, 3, 3}, Bias: true, Params: ops.ConvParams{Padding: one}}},
		{"convT4x4s2_128to64x32", "convtranspose", &ConvTransposeCase{X: []int{1, 128, 32, 32}, W: []int{128, 64, 4, 4}, Bias: true, Params: ops.ConvTransposeParams{Stride: []int{2}, Padding: one}}},
		{"maxpool3x3s2", "maxpool", &PoolCase{Kind: "max", X: maps, Params: ops.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: one}}},
		{"avgpool2x2s2", "avgpool", &PoolCase{Kind: "avg", X: maps, Params: ops.PoolParams{Kernel: []int{2}, Stride: []int{2}}}},
		{"relu_16M", "activation", activationCase(spec.ReLU.Default(), []int{1 << 24}, "")},
		{"gelu_16M", "activation", activationCase(spec.GELU.Default(), []int{1 << 24}, "")},
		{"mish_16M", "activation", activationCase(spec.Mish.Default(), []int{1 << 24}, "")},
		{"add_relu_8x256x56x56", "fused", &FusedCase{[]int{8, 256, 56, 56}, "add_relu"}},
		{"gelu_mul_16M", "fused", &FusedCase{[]int{1 << 24}, "gelu_mul"}},
		{"bn_eval", "batchnorm", &BatchNormCase{X: maps, Scale: true, Shift: true}},
		{"bn_stats", "moments", &MomentsCase{X: maps, Axes: []int{0, 2, 3}}},
		{"bn_train", "batchnorm_train", &BatchNormTrainCase{X: maps, Scale: true, Shift: true, Running: true}},
		{"layernorm_4096x1024", "layernorm", &LayerNormCase{X: []int{4096, 1024}, Scale: true, Shift: true, Params: ops.LayerNormParams{}}},
		{"groupnorm32", "groupnorm", &GroupNormCase{X: maps, Scale: true, Shift: true, Params: ops.GroupNormParams{Groups: 32}}},
		{"instancenorm", "instancenorm", &InstanceNormCase{X: maps, Scale: true, Shift: true}},
		{"resnet50_b1", "conv", &NetworkCase{"resnet50", 1}},
		{"resnet50_b8", "conv", &NetworkCase{"resnet50", 8}},
		{"resnet50_bn_b1", "conv", &NetworkCase{"resnet50_bn", 1}},
		{"resnet50_bn_b8", "conv", &NetworkCase{"resnet50_bn", 8}},
		{"vgg19_b1", "conv", &NetworkCase{"vgg19", 1}},
		{"vgg19_b8", "conv", &NetworkCase{"vgg19", 8}},
		{"squeezenet_b1", "conv", &NetworkCase{"squeezenet", 1}},
		{"squeezenet_b8", "conv", &NetworkCase{"squeezenet", 8}},
		{"digits_b64_train", "conv", &TrainCase{"digits", 64}},
		{"resnet50_b8_train", "conv", &TrainCase{"resnet50", 8}},
	}
	return slices.Concat(all, inPlace(all), gradients(all))
}

// gradients returns the workloads backwards: each with its name and _grad behind.
func gradients(forward []Workload) []Workload {
	var all []Workload
	for _, w := range forward {
		var c Case
		switch f := w.Case.(type) {
		case *ConvCase:
			for _, of := range []string{"input", "weight"} {
				g := *gradOfConv(f).(*ConvGradCase)
				g.Of = of
				all = append(all, Workload{w.Name + "_grad_" + of, "conv_grad", &g})
			}
			c = gradOfConv(f)
		case *ConvTransposeCase:
			for _, of := range []string{"input", "weight"} {
				g := *gradOfConvTranspose(f).(*ConvTransposeGradCase)
				g.Of = of
				all = append(all, Workload{w.Name + "_grad_" + of, "convtranspose_grad", &g})
			}
			c = gradOfConvTranspose(f)
		case *MatMulCase:
			if len(f.A) != 2 {
				continue // products of transposed tensors: more of the same
			}
			c = &GemmGradCase{GemmCase{A: f.A, B: f.B}}
		case *LinearCase:
			c = &GemmGradCase{GemmCase{A: f.X, B: f.W, C: f.biasShape(), Params: ops.GemmParams{TransB: true}}}
		case *PoolCase:
			g := PoolGradCase{*f}
			g.Indices = g.Kind == "max"
			c = &g
		case *ActivationCase:
			c = &ActivationGradCase{*f}
		case *BatchNormCase:
			g := BatchNormGradCase{*f}
			g.Shift = false
			c = &g
		case *BatchNormTrainCase:
			g := BatchNormTrainGradCase{*f}
			g.Shift, g.Running = false, false
			c = &g
		case *LayerNormCase:
			g := LayerNormGradCase{*f}
			g.Shift, g.Stats = false, false
			c = &g
		case *GroupNormCase:
			g := GroupNormGradCase{*f}
			g.Shift = false
			c = &g
		case *InstanceNormCase:
			g := InstanceNormGradCase{*f}
			g.Shift = false
			c = &g
		default:
			if c = gradient(f); c == nil {
				continue
			}
		}
		function := w.Function
		if _, product := c.(*GemmGradCase); product {
			function = "gemm" // the row of MatMul's and Linear's gradients
		}
		all = append(all, Workload{w.Name + "_grad", function + "_grad", c})
	}
	return all
}

// gradient returns the gradient of a case that has but one form, nil where the
// function has none of its own.
func gradient(forward Case) Case {
	switch f := forward.(type) {
	case *BinaryCase:
		if binaryGradCalls[f.Func] != nil {
			return &BinaryGradCase{*f}
		}
	case *SoftmaxCase:
		if f.Kind != spec.Hardmax {
			return gradOfSoftmax(f)
		}
	case *RMSNormCase:
		g := RMSNormGradCase{*f}
		g.Shift = false
		return &g
	case *MeanVarianceCase:
		return &MeanVarianceGradCase{*f}
	case *LRNCase:
		return &LRNGradCase{*f}
	case *LpNormalizeCase:
		return &LpNormalizeGradCase{*f}
	case *ReduceCase:
		if f.Func == "max" || f.Func == "min" { // that of a sum is Expand
			return &ReduceGradCase{ReduceCase: *f}
		}
	case *UnpoolCase:
		return &UnpoolGradCase{*f}
	case *UpsampleCase:
		return &UpsampleGradCase{*f}
	case *PadCase:
		return &PadGradCase{*f}
	case *SliceCase:
		return &SliceGradCase{*f}
	case *LossCase:
		return &LossGradCase{*f}
	case *CrossEntropyCase:
		return &CrossEntropyGradCase{*f}
	}
	return nil
}
