package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// GemmParams are the parameters of Gemm; see spec.GemmParams.
type GemmParams = spec.GemmParams

// Gemm returns act(alpha*a*b + beta*c) for matrices a [M, K] and b [K, N], which
// may be given transposed, and an optional c (nil for none) that broadcasts to
// the result's [M, N]: a scalar, [N], [1, N], [M, 1] or [M, N]. It is ONNX's and
// WebNN's operator. Errors: ErrShape, ErrParam, ErrTooLarge, ErrReleased,
// ErrEngine, ErrOutOfMemory.
func Gemm(a, b, c *Tensor, p GemmParams) (*Tensor, error) {
	return gemm("Gemm", "gemm", a, b, c, func() (spec.Gemm, error) {
		return spec.NewGemm(a.shape, b.shape, shapeOf(c), p)
	})
}

// gemm makes the call of Gemm, MatMul and Linear; resolve is called once a and b
// are known to be there.
func gemm(name, fn string, a, b, c *Tensor, resolve func() (spec.Gemm, error)) (*Tensor, error) {
	e, err := engineOf(name, a, b, c)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fail(name, fmt.Errorf("%w: the second matrix", ErrNil))
	}
	g, err := resolve()
	if err != nil {
		return nil, fail(name, err)
	}
	one := gemmCall(name, fn, g)
	one.in = []*Tensor{a, b, c}
	one.link = source(g.Act, func(a Activation) call {
		g := g
		g.Act = a
		return gemmCall(name, fn, g)
	})
	one.link.tail = func(out, in [][]float32, t *fast.Tail) { fast.MatMulTail(out[0], in[0], in[1], in[2], g, t) }
	return e.one(one, g.OutShape())
}

// gemmCall is the call without its inputs.
func gemmCall(name, fn string, g spec.Gemm) call {
	return call{
		name: name, fn: fn,
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanGemm(g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Gemm(out[0], in[0], in[1], in[2], g)
			} else {
				fast.MatMul(out[0], in[0], in[1], in[2], g)
			}
			return nil
		},
	}
}
