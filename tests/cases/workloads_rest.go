package cases

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/optim"
	"github.com/kansu-dev/kansu/spec"
)

// RestWorkloads returns named workloads of the functions that Workloads leaves
// out, and of further forms of those it has, with their gradients: together they
// time every function of the library.
func RestWorkloads() []Workload {
	var all []Workload
	for _, group := range [][]Workload{restPointwise(), restRows(), restPools(), restLayers(), restMoves(), restTraining()} {
		all = append(all, group...)
	}
	return append(all, gradients(all)...)
}

var (
	restMaps = []int{8, 64, 112, 112} // as the pooling and normalization of Workloads
	restRow  = []int{4096, 1024}
	restLong = []int{1 << 24}
)

// restPointwise: one of each kind of arithmetic, and pairs of tensors.
func restPointwise() []Workload {
	var all []Workload
	for _, f := range []spec.Pointwise{spec.Sigmoid, spec.Tanh, spec.SiLU, spec.Softplus, spec.ELU, spec.Exp, spec.Log, spec.Sin, spec.Tan, spec.Sqrt} {
		all = append(all, Workload{f.String() + "_16M", "activation", activationCase(f.Default(), restLong, "")})
	}
	channel := []int{64, 1, 1}
	return append(all,
		Workload{"add_16M", "binary", &BinaryCase{Func: "add", A: restLong, B: restLong}},
		Workload{"div_16M", "binary", &BinaryCase{Func: "div", A: restLong, B: restLong}},
		Workload{"pow_16M", "binary", &BinaryCase{Func: "pow", A: restLong, B: restLong, Values: "tame"}},
		Workload{"add_channels", "binary", &BinaryCase{Func: "add", A: restMaps, B: channel}},
		Workload{"prelu_channels", "binary", &BinaryCase{Func: "prelu", A: restMaps, B: []int{64}}},
		Workload{"dropout_16M", "dropout", &DropoutCase{X: restLong, P: 0.5, Key: 1}},
	)
}

// restRows: normalizations, softmax and reductions, along rows and across them.
func restRows() []Workload {
	logits, image, square := []int{4096, 1000}, []int{8, 21, 256, 256}, []int{4096, 4096}
	one := ops.ReduceParams{Axes: []int{1}}
	zero := ops.ReduceParams{Axes: []int{0}}
	planes := ops.ReduceParams{Axes: []int{2, 3}}
	return []Workload{
		{"softmax_4096x1000", "softmax", &SoftmaxCase{X: logits, Axis: 1}},
		{"softmax_8x21x256x256_axis1", "softmax", &SoftmaxCase{X: image, Axis: 1}},
		{"logsoftmax_4096x1000", "softmax", &SoftmaxCase{X: logits, Axis: 1, Kind: spec.LogSoftmax}},
		{"hardmax_4096x1000", "softmax", &SoftmaxCase{X: logits, Axis: 1, Kind: spec.Hardmax}},
		{"rmsnorm_4096x1024", "rmsnorm", &RMSNormCase{X: restRow, Scale: true}},
		{"meanvariance", "meanvariance", &MeanVarianceCase{X: restMaps}},
		{"lrn_8x96x55x55", "lrn", &LRNCase{X: []int{8, 96, 55, 55}, Params: ops.LRNParams{Size: 5, Alpha: 1e-4, K: 1}}},
		{"lpnormalize_4096x1024", "lpnormalize", &LpNormalizeCase{X: restRow, Axis: 1, Params: ops.LpNormalizeParams{P: 2}}},
		{"lpnormalize_channels", "lpnormalize", &LpNormalizeCase{X: restMaps, Axis: 1, Params: ops.LpNormalizeParams{P: 2}}},
		{"sum_16M", "reduce", &ReduceCase{Func: "sum", X: restLong}},
		{"sum_4096x4096_axis1", "reduce", &ReduceCase{Func: "sum", X: square, Params: one}},
		{"sum_4096x4096_axis0", "reduce", &ReduceCase{Func: "sum", X: square, Params: zero}},
		{"mean_planes", "reduce", &ReduceCase{Func: "mean", X: restMaps, Params: planes}},
		{"max_4096x4096_axis1", "reduce", &ReduceCase{Func: "max", X: square, Params: one}},
		{"max_4096x4096_axis0", "reduce", &ReduceCase{Func: "max", X: square, Params: zero}},
	}
}

// restPools: windows that overlap, whole planes, adaptive windows, and back up.
func restPools() []Workload {
	deep := []int{8, 2048, 7, 7}
	small := []int{8, 64, 56, 56}
	three := spec.PoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}
	two := []float64{2}
	return []Workload{
		{"avgpool3x3s2", "avgpool", &PoolCase{Kind: "avg", X: restMaps, Params: three}},
		{"maxpool2x2s2_indices", "maxpool", &PoolCase{Kind: "max", X: restMaps, Indices: true, Params: spec.PoolParams{Kernel: []int{2}, Stride: []int{2}}}},
		{"lppool3x3s2", "lppool", &PoolCase{Kind: "lp", X: restMaps, Norm: 2, Values: "positive", Params: spec.PoolParams{Kernel: []int{3}, Stride: []int{2}}}},
		{"avgpool_global_2048x7x7", "avgpool", &PoolCase{Kind: "avg", X: deep, Global: true}},
		{"avgpool_global", "avgpool", &PoolCase{Kind: "avg", X: restMaps, Global: true}},
		{"maxpool_global", "maxpool", &PoolCase{Kind: "max", X: restMaps, Adaptive: []int{1}}},
		{"avgpool_adaptive7", "avgpool", &PoolCase{Kind: "avg", X: restMaps, Adaptive: []int{7}}},
		{"avgpool_adaptive50", "avgpool", &PoolCase{Kind: "avg", X: restMaps, Adaptive: []int{50}}},
		{"maxpool_adaptive7", "maxpool", &PoolCase{Kind: "max", X: restMaps, Adaptive: []int{7}}},
		{"unpool2x2s2", "unpool", &UnpoolCase{X: small, Params: ops.UnpoolParams{Kernel: []int{2}}, Pooled: true}},
		{"upsample_nearest2", "upsample", &UpsampleCase{X: small, Params: ops.UpsampleParams{Scale: two}}},
		{"upsample_bilinear2", "upsample", &UpsampleCase{X: small, Params: ops.UpsampleParams{Scale: two, Mode: spec.Linear}}},
		{"upsample_bilinear2_corners", "upsample", &UpsampleCase{X: small, Params: ops.UpsampleParams{Scale: two, Mode: spec.Linear, AlignCorners: true}}},
		{"upsample_trilinear2", "upsample", &UpsampleCase{X: []int{1, 32, 16, 32, 32}, Params: ops.UpsampleParams{Scale: two, Mode: spec.Linear}}},
	}
}

// restLayers: convolutions of other networks, and products of other shapes.
func restLayers() []Workload {
	one := []int{1}
	conv := func(x, w []int, p ops.ConvParams) *ConvCase { return &ConvCase{X: x, W: w, Bias: true, Params: p} }
	return []Workload{
		{"conv3x3g32_128x56", "conv", conv([]int{1, 128, 56, 56}, []int{128, 4, 3, 3}, ops.ConvParams{Padding: one, Groups: 32})},
		{"conv3x3d2_256x28", "conv", conv([]int{1, 256, 28, 28}, []int{256, 256, 3, 3}, ops.ConvParams{Padding: []int{2}, Dilation: []int{2}})},
		{"conv3x3s2_128x56", "conv", conv([]int{1, 128, 56, 56}, []int{128, 128, 3, 3}, ops.ConvParams{Padding: one, Stride: []int{2}})},
		{"conv1x1s2_256to512x56", "conv", conv([]int{1, 256, 56, 56}, []int{512, 256, 1, 1}, ops.ConvParams{Stride: []int{2}})},
		{"conv5x5_32to64x28", "conv", conv([]int{8, 32, 28, 28}, []int{64, 32, 5, 5}, ops.ConvParams{Padding: []int{2}})},
		{"dwconv5x5_240x14", "conv", conv([]int{8, 240, 14, 14}, []int{240, 1, 5, 5}, ops.ConvParams{Padding: []int{2}, Groups: 240})},
		{"dwconv3x3s2_96x112", "conv", conv([]int{1, 96, 112, 112}, []int{96, 1, 3, 3}, ops.ConvParams{Padding: one, Stride: []int{2}, Groups: 96})},
		{"convT2x2s2_128to64x56", "convtranspose", &ConvTransposeCase{X: []int{1, 128, 56, 56}, W: []int{128, 64, 2, 2}, Bias: true, Params: ops.ConvTransposeParams{Stride: []int{2}}}},
		{"matvec_4096x4096", "matmul", &MatMulCase{A: []int{4096, 4096}, B: []int{4096, 1}}},
		{"vecmat_4096x4096", "matmul", &MatMulCase{A: []int{1, 4096}, B: []int{4096, 4096}}},
		{"linear_1x4096x4096", "linear", &LinearCase{X: []int{1, 4096}, W: []int{4096, 4096}, Bias: true}},
		{"bmm_96x197x64", "matmul", &MatMulCase{A: []int{96, 197, 64}, B: []int{96, 64, 197}}},
		{"bmm_96x197x197x64", "matmul", &MatMulCase{A: []int{96, 197, 197}, B: []int{96, 197, 64}}},
	}
}

// restMoves: what only moves.
func restMoves() []Workload {
	half := []int{8, 128, 56, 56}
	return []Workload{
		{"concat_2x128x56x56", "concat", &ConcatCase{Axis: 1, X: [][]int{half, half}}},
		{"slice_crop", "slice", &SliceCase{X: restMaps, Begin: []int{0, 0, 5, 5}, End: []int{8, 64, 107, 107}}},
		{"slice_channels", "slice", &SliceCase{X: restMaps, Begin: []int{0, 16}, End: []int{8, 48}}},
		{"transpose_4096x4096", "transpose", &TransposeCase{X: []int{4096, 4096}}},
		{"transpose_nchw_nhwc", "transpose", &TransposeCase{X: restMaps, Perm: []int{0, 2, 3, 1}}},
		{"transpose_heads_8x197x12x64", "transpose", &TransposeCase{X: []int{8, 197, 12, 64}, Perm: []int{0, 2, 1, 3}}},
		{"pad_zeros1", "pad", &PadCase{X: restMaps, Params: ops.PadParams{Begin: []int{1, 1}, End: []int{1, 1}}}},
		{"pad_reflect3", "pad", &PadCase{X: restMaps, Params: ops.PadParams{Begin: []int{3, 3}, End: []int{3, 3}, Mode: spec.PadReflect}}},
	}
}

// restTraining: losses with the reduction that training uses, and steps of
// optimisers over as many parameters as a network of 16 million has.
func restTraining() []Workload {
	adamW := spec.DefaultAdam()
	adamW.Step, adamW.WeightDecay, adamW.Decoupled = 100, 0.01, true
	adam := spec.DefaultAdam()
	adam.Step = 100
	var all []Workload
	for _, l := range spec.Losses() {
		all = append(all, Workload{l.String() + "_16M", "loss", &LossCase{Loss: l, X: restLong, Normal: true}})
	}
	return append(all,
		Workload{"crossentropy_4096x1000", "crossentropy", &CrossEntropyCase{Logits: []int{4096, 1000}, Normal: true}},
		Workload{"crossentropy_8x21x256x256", "crossentropy", &CrossEntropyCase{Logits: []int{8, 21, 256, 256}, Normal: true}},
		Workload{"sgd_16M", "sgd", &SGDCase{P: restLong, Params: ops.SGDParams{LR: 0.1}}},
		Workload{"sgd_momentum_16M", "sgd", &SGDCase{P: restLong, Params: ops.SGDParams{LR: 0.1, Momentum: 0.9, WeightDecay: 1e-4}}},
		Workload{"adam_16M", "adam", &AdamCase{P: restLong, Params: adam}},
		Workload{"adamw_16M", "adam", &AdamCase{P: restLong, Params: adamW}},
		Workload{"clipnorm_16M", "reduce", &ClipCase{N: 1 << 24}},
	)
}

// ClipCase is the clipping of one gradient by its norm, for timing. It has no
// oracle.
type ClipCase struct{ N int }

// Inputs is the gradient.
func (c *ClipCase) Inputs() []Input { return []Input{{Shape: []int{c.N}}} }

// Call computes the norm and the factor.
func (c *ClipCase) Call(in []*ops.Tensor) ([]*ops.Tensor, error) {
	norm, scale, err := optim.ClipNormOf(in, 1)
	return []*ops.Tensor{norm, scale}, err
}

// Oracle is nil: a clipping is timed here, and checked in optim.
func (c *ClipCase) Oracle([][]float64) []Want { return nil }

// Work counts a product and a sum for each element, which is read once.
func (c *ClipCase) Work() (flops, bytes float64) { return 2 * float64(c.N), 4 * float64(c.N) }
