package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/spec"
)

// GemmGradA returns the gradient of Gemm with respect to a, in the layout that a
// has, for a gradient dy of the output and the b of the call: with A and B the
// operands as they are multiplied, dA = alpha dy B^T. p are the parameters of the
// call; a fused activation is not among them (ErrParam). Errors: as Gemm.
func GemmGradA(dy, b *Tensor, p GemmParams) (*Tensor, error) {
	const name = "GemmGradA"
	if err := gemmGradParams(dy, b, p); err != nil {
		return nil, fail(name, err)
	}
	x, y, q := dy, b, GemmParams{TransB: !p.TransB, Alpha: p.Alpha}
	if p.TransA {
		x, y, q = b, dy, GemmParams{TransA: p.TransB, TransB: true, Alpha: p.Alpha}
	}
	da, err := Gemm(x, y, nil, q)
	return da, fail(name, err)
}

// GemmGradB returns the gradient of Gemm with respect to b, dB = alpha A^T dy; see
// GemmGradA.
func GemmGradB(dy, a *Tensor, p GemmParams) (*Tensor, error) {
	const name = "GemmGradB"
	if err := gemmGradParams(dy, a, p); err != nil {
		return nil, fail(name, err)
	}
	x, y, q := a, dy, GemmParams{TransA: !p.TransA, Alpha: p.Alpha}
	if p.TransB {
		x, y, q = dy, a, GemmParams{TransA: true, TransB: p.TransA, Alpha: p.Alpha}
	}
	db, err := Gemm(x, y, nil, q)
	return db, fail(name, err)
}

// GemmGradC returns the gradient of Gemm with respect to c, of shape c: beta times
// dy, summed over the axes along which c repeats. Errors: as Gemm.
func GemmGradC(dy *Tensor, c []int, p GemmParams) (*Tensor, error) {
	const name = "GemmGradC"
	sum, err := SumTo(dy, c...)
	if err != nil || p.Beta == nil {
		return sum, fail(name, err)
	}
	defer sum.Release()
	dc, err := Affine(sum, *p.Beta, 0)
	return dc, fail(name, err)
}

// gemmGradParams checks what Gemm does not.
func gemmGradParams(dy, other *Tensor, p GemmParams) error {
	switch {
	case dy == nil || other == nil:
		return fmt.Errorf("%w: the gradient or the other matrix", ErrNil)
	case p.Act.Func != spec.Identity:
		return &spec.Error{Kind: ErrParam, Message: fmt.Sprintf("the activation %v is fused; its gradient comes before this one", p.Act)}
	}
	return nil
}
