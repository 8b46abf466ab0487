// Command gorgonia times those workloads of `kansu bench` that gorgonia has, as
// a peer: each a graph of one function in a tape machine. Its convolutions have
// no bias, so that kansu's is zero here.
package main

import (
	"log"

	"github.com/kansu-dev/kansu/docs/benchmarks/peers/golibs/peer"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func dense(v []float32, shape []int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))
}

// graph returns a workload of the nodes that build makes of the first inputs.
func graph(inputs []peer.Input, take int, build func(n []*G.Node) (*G.Node, error)) peer.Workload {
	return peer.Workload{Inputs: inputs, Make: func(in [][]float32) (func() [][]float32, error) {
		g := G.NewGraph()
		var nodes []*G.Node
		for i := range take {
			s := inputs[i].Shape
			nodes = append(nodes, G.NewTensor(g, tensor.Float32, len(s), G.WithShape(s...), G.WithValue(dense(in[i], s)),
				G.WithName(string(rune('a'+i)))))
		}
		y, err := build(nodes)
		if err != nil {
			return nil, err
		}
		vm := G.NewTapeMachine(g)
		return func() [][]float32 {
			vm.Reset()
			if err := vm.RunAll(); err != nil {
				panic(err)
			}
			return [][]float32{y.Value().Data().([]float32)}
		}, nil
	}}
}

// gemm multiplies into the same memory each time.
func gemm(n int) peer.Workload {
	c := dense(make([]float32, n*n), []int{n, n})
	return peer.Workload{Inputs: peer.Of([]int{n, n}, []int{n, n}), Make: func(in [][]float32) (func() [][]float32, error) {
		a, b := dense(in[0], []int{n, n}), dense(in[1], []int{n, n})
		return func() [][]float32 {
			if _, err := tensor.MatMul(a, b, tensor.WithReuse(c)); err != nil {
				panic(err)
			}
			return [][]float32{c.Data().([]float32)}
		}, nil
	}}
}

func conv(c, side, out, kernel, stride, pad int) peer.Workload {
	in := peer.Of([]int{1, c, side, side}, []int{out, c, kernel, kernel}, []int{out})
	in[2].Zero = true
	return graph(in, 2, func(n []*G.Node) (*G.Node, error) {
		return G.Conv2d(n[0], n[1], tensor.Shape{kernel, kernel}, []int{pad, pad}, []int{stride, stride}, []int{1, 1})
	})
}

func activation(f func(*G.Node) (*G.Node, error)) peer.Workload {
	return graph(peer.Of([]int{1 << 24}), 1, func(n []*G.Node) (*G.Node, error) { return f(n[0]) })
}

func main() {
	if err := peer.Serve("gorgonia", map[string]peer.Workload{
		"gemm512": gemm(512), "gemm1024": gemm(1024), "gemm2048": gemm(2048),
		"conv3x3_64x56x56": conv(64, 56, 64, 3, 1, 1), "conv3x3_256x14x14": conv(256, 14, 256, 3, 1, 1),
		"conv1x1_256to64x56": conv(256, 56, 64, 1, 1, 0), "conv7x7s2_3to64x224": conv(3, 224, 64, 7, 2, 3),
		"relu_16M": activation(G.Rectify), "mish_16M": activation(G.Mish),
		"maxpool3x3s2": graph(peer.Of([]int{8, 64, 112, 112}), 1, func(n []*G.Node) (*G.Node, error) {
			return G.MaxPool2D(n[0], tensor.Shape{3, 3}, []int{1, 1}, []int{2, 2})
		}),
	}); err != nil {
		log.Fatal(err)
	}
}
