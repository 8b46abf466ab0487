package spec

// MatMulParams are the parameters of MatMul. The zero value is a plain product.
type MatMulParams struct {
	TransA, TransB bool       // the last two axes of a, of b, are swapped first
	Act            Activation // applied to each output; default none
}

// NewMatMul checks and resolves the matrix product of NumPy and PyTorch: the
// last two axes are matrices, [..., M, K] times [..., K, N], and the axes before
// them broadcast. An a of one axis [K] is a row and a b of one axis [K] is a
// column, and the axis of size 1 is then left out of the result. It returns
// ErrShape or ErrParam, naming the value.
func NewMatMul(a, b []int, p MatMulParams) (Gemm, error) {
	if len(a) == 0 || len(b) == 0 {
		return Gemm{}, shapeErr("a is %v and b is %v: a matrix product takes no scalars", a, b)
	}
	row, column := len(a) == 1, len(b) == 1
	if row && p.TransA {
		return Gemm{}, paramErr("TransA is set, but a is %v: one axis has nothing to transpose", a)
	}
	if column && p.TransB {
		return Gemm{}, paramErr("TransB is set, but b is %v: one axis has nothing to transpose", b)
	}
	if row {
		a = []int{1, a[0]}
	}
	if column {
		b = []int{b[0], 1}
	}
	g, err := newProduct(a, b, p.TransA, p.TransB, p.Act)
	if err != nil {
		return g, err
	}
	out := g.OutShape()
	if column {
		out = out[:len(out)-1]
	}
	if row {
		n := len(out) - 1
		if column {
			n++
		}
		// The row's axis of size 1 stands before the columns, where there are any.
		out = append(out[:n-1:n-1], out[n:]...)
	}
	g.Out = MakeDims(out)
	return g, nil
}
