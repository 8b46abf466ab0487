package spec

// LinearParams are the parameters of Linear.
type LinearParams struct {
	Act Activation // applied to each output; default none
}

// NewLinear checks and resolves a fully connected layer, PyTorch's Linear:
//
//	y[..., o] = act(b[o] + sum over i of x[..., i] * w[o, i])
//
// for x [..., in], w [out, in] and an optional b [out] (nil for none). It
// returns ErrShape or ErrParam, naming the value.
func NewLinear(x, w, b []int, p LinearParams) (Gemm, error) {
	var g Gemm
	if len(x) == 0 {
		return g, shapeErr("input is a scalar: a linear layer takes [... in]")
	}
	if len(w) != 2 {
		return g, shapeErr("weight is %v: a linear layer takes [out in]", w)
	}
	if err := checkShapes(x, w, b); err != nil {
		return g, err
	}
	in, out := x[len(x)-1], w[0]
	if w[1] != in {
		return g, shapeErr("weight is %v: %d inputs, but the input is %v and has %d", w, w[1], x, in)
	}
	if b != nil && (len(b) != 1 || b[0] != out) {
		return g, shapeErr("bias is %v: %d outputs take [%d]", b, out, out)
	}
	g, err := newProduct([]int{Count(x) / in, in}, w, false, true, p.Act)
	if err != nil {
		return g, err
	}
	g.Out = MakeDims(append(append([]int{}, x[:len(x)-1]...), out))
	if b != nil {
		g.Bias, g.BiasN = true, 1
	}
	return g, nil
}
