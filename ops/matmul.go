package ops

import "github.com/kansu-dev/kansu/spec"

// MatMulParams are the parameters of MatMul; see spec.MatMulParams.
type MatMulParams = spec.MatMulParams

// MatMul returns the matrix product of NumPy and PyTorch: a [..., M, K] times b
// [..., K, N] gives [..., M, N], where the axes before the last two broadcast.
// An a [K] is a row and a b [K] a column, and the axis that they lack is left
// out of the result: [K] times [K] is a scalar. Errors: ErrShape, ErrParam,
// ErrTooLarge, ErrReleased, ErrEngine, ErrOutOfMemory.
func MatMul(a, b *Tensor, p MatMulParams) (*Tensor, error) {
	return gemm("MatMul", "matmul", a, b, nil, func() (spec.Gemm, error) {
		return spec.NewMatMul(a.shape, b.shape, p)
	})
}
