// Command gomlx times the workloads of `kansu bench` in gomlx's backend in pure
// Go, as a peer: each a graph in NCHW, compiled before.
package main

import (
	"log"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/backends/simplego"
	g "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/core/tensors/images"
	"github.com/gomlx/gomlx/pkg/ml/layers/activations"
	"github.com/kansu-dev/kansu/docs/benchmarks/peers/golibs/peer"
)

var backend backends.Backend

func graph(inputs []peer.Input, build func(in []*g.Node) *g.Node) peer.Workload {
	return peer.Workload{Inputs: inputs, Make: func(in [][]float32) (func() [][]float32, error) {
		exec, err := g.NewExec(backend, build)
		if err != nil {
			return nil, err
		}
		var args []any
		for i, v := range in {
			t := tensors.FromFlatDataAndDimensions(v, inputs[i].Shape...)
			if err := t.MaterializeOnDevice(backend, true, 0); err != nil {
				return nil, err
			}
			args = append(args, t)
		}
		var last []*tensors.Tensor
		return func() [][]float32 {
			for _, t := range last {
				t.MustFinalizeAll() // gives its memory back to the backend
			}
			var err error
			if last, err = exec.Exec(args...); err != nil {
				panic(err)
			}
			var out [][]float32
			for _, t := range last {
				t.MustConstFlatData(func(flat any) { out = append(out, flat.([]float32)) })
			}
			return out
		}, nil
	}}
}

func gemm(n int) peer.Workload {
	return graph(peer.Of([]int{n, n}, []int{n, n}), func(in []*g.Node) *g.Node { return g.Dot(in[0], in[1]) })
}

// along gives a vector the shape in which it spans an axis of x.
func along(v, x *g.Node, axis int) *g.Node {
	d := make([]int, x.Rank())
	for i := range d {
		d[i] = 1
	}
	d[axis] = v.Shape().Size()
	return g.Reshape(v, d...)
}

func conv(x, w []int, stride, pad, groups int) peer.Workload {
	return graph(peer.Of(x, w, []int{w[0]}), func(in []*g.Node) *g.Node {
		axes := backends.ConvolveAxesConfig{InputChannels: 1, KernelInputChannels: 1, OutputChannels: 1}
		var pads [][2]int
		var ones []int // groups fail where no dilation is given
		for i := 2; i < len(x); i++ {
			axes.InputSpatial = append(axes.InputSpatial, i)
			axes.KernelSpatial = append(axes.KernelSpatial, i)
			axes.OutputSpatial = append(axes.OutputSpatial, i)
			pads = append(pads, [2]int{pad, pad})
			ones = append(ones, 1)
		}
		y := g.Convolve(in[0], in[1]).AxesConfig(axes).Strides(stride).PaddingPerDim(pads).DilationPerAxis(ones...).ChannelGroupCount(groups).Done()
		return g.Add(y, along(in[2], y, 1))
	})
}

func pointwise(f func(*g.Node) *g.Node) peer.Workload {
	return graph(peer.Of([]int{1 << 24}), func(in []*g.Node) *g.Node { return f(in[0]) })
}

var (
	maps     = []int{8, 64, 112, 112}
	channels = []int{64}
)

func pool(f func(*g.Node) *g.PoolBuilder, kernel, pad int) peer.Workload {
	return graph(peer.Of(maps), func(in []*g.Node) *g.Node {
		p := f(in[0]).ChannelsAxis(images.ChannelsFirst).Window(kernel).Strides(2)
		if pad > 0 {
			return p.PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).Done()
		}
		return p.NoPadding().Done()
	})
}

// moments returns the mean and the variance, and what is left of x without it.
func moments(x *g.Node, axes ...int) (mean, variance, centred *g.Node) {
	mean = g.ReduceAndKeep(x, g.ReduceMean, axes...)
	centred = g.Sub(x, mean)
	return mean, g.ReduceAndKeep(g.Square(centred), g.ReduceMean, axes...), centred
}

// halves makes two outputs of one.
func halves(w peer.Workload) peer.Workload {
	make := w.Make
	w.Make = func(in [][]float32) (func() [][]float32, error) {
		call, err := make(in)
		return func() [][]float32 {
			out := call()[0]
			return [][]float32{out[:len(out)/2], out[len(out)/2:]}
		}, err
	}
	return w
}

func normalize(x *g.Node, axes ...int) *g.Node {
	_, v, c := moments(x, axes...)
	return g.Mul(c, g.Reciprocal(g.Sqrt(g.AddScalar(v, 1e-5))))
}

func affine(y, scale, shift *g.Node, axis int) *g.Node {
	return g.Add(g.Mul(y, along(scale, y, axis)), along(shift, y, axis))
}

func workloads() map[string]peer.Workload {
	eval := peer.Of(maps, channels, channels, channels, channels)
	eval[2].Lo, eval[2].Hi = 0.1, 2
	train := peer.Of(maps, channels, channels, channels, channels)
	train[4].Lo, train[4].Hi = 0.1, 2
	three := peer.Of(maps, channels, channels)
	return map[string]peer.Workload{
		"gemm512": gemm(512), "gemm1024": gemm(1024), "gemm2048": gemm(2048),
		"linear_64x1024x1000": graph(peer.Of([]int{64, 1024}, []int{1000, 1024}, []int{1000}), func(in []*g.Node) *g.Node {
			y := g.DotGeneral(in[0], []int{1}, nil, in[1], []int{1}, nil)
			return g.Add(y, along(in[2], y, 1))
		}),
		"conv3x3_64x56x56":    conv([]int{1, 64, 56, 56}, []int{64, 64, 3, 3}, 1, 1, 1),
		"conv3x3_256x14x14":   conv([]int{1, 256, 14, 14}, []int{256, 256, 3, 3}, 1, 1, 1),
		"conv1x1_256to64x56":  conv([]int{1, 256, 56, 56}, []int{64, 256, 1, 1}, 1, 0, 1),
		"conv7x7s2_3to64x224": conv([]int{1, 3, 224, 224}, []int{64, 3, 7, 7}, 2, 3, 1),
		"dwconv3x3_128x56":    conv([]int{1, 128, 56, 56}, []int{128, 1, 3, 3}, 1, 1, 128),
		"conv1d_k9_8x64x4096": conv([]int{8, 64, 4096}, []int{64, 64, 9}, 1, 4, 1),
		"conv3d_32x16x32x32":  conv([]int{1, 32, 16, 32, 32}, []int{32, 32, 3, 3, 3}, 1, 1, 1),
		"maxpool3x3s2":        pool(g.MaxPool, 3, 1),
		"avgpool2x2s2":        pool(g.MeanPool, 2, 0),
		"relu_16M":            pointwise(activations.Relu),
		"gelu_16M":            pointwise(activations.Gelu),
		"mish_16M":            pointwise(func(x *g.Node) *g.Node { return g.Mul(x, g.Tanh(g.Log1P(g.Exp(x)))) }),
		"bn_eval": graph(eval, func(in []*g.Node) *g.Node {
			factor := g.Mul(in[3], g.Reciprocal(g.Sqrt(g.AddScalar(in[2], 1e-5))))
			return affine(in[0], factor, g.Sub(in[4], g.Mul(in[1], factor)), 1)
		}),
		"bn_stats": halves(graph(peer.Of(maps), func(in []*g.Node) *g.Node {
			mean, variance, _ := moments(in[0], 0, 2, 3)
			return g.Concatenate([]*g.Node{mean, variance}, 0)
		})),
		"bn_train": graph(train, func(in []*g.Node) *g.Node { return affine(normalize(in[0], 0, 2, 3), in[1], in[2], 1) }),
		"layernorm_4096x1024": graph(peer.Of([]int{4096, 1024}, []int{1024}, []int{1024}), func(in []*g.Node) *g.Node {
			return affine(normalize(in[0], 1), in[1], in[2], 1)
		}),
		"groupnorm32": graph(three, func(in []*g.Node) *g.Node {
			y := normalize(g.Reshape(in[0], 8, 32, 2*112*112), 2)
			return affine(g.Reshape(y, maps...), in[1], in[2], 1)
		}),
		"instancenorm": graph(three, func(in []*g.Node) *g.Node { return affine(normalize(in[0], 2, 3), in[1], in[2], 1) }),
	}
}

func main() {
	peer.Threads() // before the backend asks
	var err error
	if backend, err = simplego.New(""); err != nil {
		log.Fatal(err)
	}
	if err := peer.Serve("gomlx", workloads()); err != nil {
		log.Fatal(err)
	}
}
