// Command gonum times the matrix products of `kansu bench` in gonum's blas32, as
// a peer.
package main

import (
	"log"

	"github.com/kansu-dev/kansu/docs/benchmarks/peers/golibs/peer"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

func general(v []float32, rows, cols int) blas32.General {
	return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: v}
}

func gemm(n int) peer.Workload {
	c := make([]float32, n*n)
	return peer.Workload{Inputs: peer.Of([]int{n, n}, []int{n, n}), Make: func(in [][]float32) (func() [][]float32, error) {
		return func() [][]float32 {
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, general(in[0], n, n), general(in[1], n, n), 0, general(c, n, n))
			return [][]float32{c}
		}, nil
	}}
}

func linear(n, k, m int) peer.Workload {
	y := make([]float32, n*m)
	return peer.Workload{Inputs: peer.Of([]int{n, k}, []int{m, k}, []int{m}), Make: func(in [][]float32) (func() [][]float32, error) {
		return func() [][]float32 {
			for i := range n {
				copy(y[i*m:], in[2])
			}
			blas32.Gemm(blas.NoTrans, blas.Trans, 1, general(in[0], n, k), general(in[1], m, k), 1, general(y, n, m))
			return [][]float32{y}
		}, nil
	}}
}

func main() {
	if err := peer.Serve("gonum", map[string]peer.Workload{
		"gemm512": gemm(512), "gemm1024": gemm(1024), "gemm2048": gemm(2048), "linear_64x1024x1000": linear(64, 1024, 1000),
	}); err != nil {
		log.Fatal(err)
	}
}
