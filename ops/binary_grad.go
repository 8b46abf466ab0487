package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// DivGrad returns the gradients of a/b with respect to a and to b, in their
// shapes, for a gradient dy of the result: dy/b and -dy*a/b^2, summed over the
// axes along which an operand was repeated. Errors of this and the gradients
// below: ErrShape, ErrReleased, ErrEngine, ErrOutOfMemory.
func DivGrad(dy, a, b *Tensor) (da, db *Tensor, err error) {
	return binaryGrad("DivGrad", spec.Div, dy, a, b)
}

// MinGrad returns the gradients of Min(a, b): dy goes to the lesser operand, and
// by halves to equal ones; see DivGrad.
func MinGrad(dy, a, b *Tensor) (da, db *Tensor, err error) {
	return binaryGrad("MinGrad", spec.Min, dy, a, b)
}

// MaxGrad returns the gradients of Max(a, b): dy goes to the greater operand, and
// by halves to equal ones; see DivGrad.
func MaxGrad(dy, a, b *Tensor) (da, db *Tensor, err error) {
	return binaryGrad("MaxGrad", spec.Max, dy, a, b)
}

// PowGrad returns the gradients of Pow(a, b): dy*b*a^(b-1), which is 0 where b is,
// and dy*a^b*log(a), which is 0 where a is 0 and b is not negative; see DivGrad.
func PowGrad(dy, a, b *Tensor) (da, db *Tensor, err error) {
	return binaryGrad("PowGrad", spec.Pow, dy, a, b)
}

// PReLUGrad returns the gradients of PReLU(x, slope) with respect to x and to the
// slope; see DivGrad.
func PReLUGrad(dy, x, slope *Tensor) (dx, dslope *Tensor, err error) {
	const name = "PReLUGrad"
	if _, err := engineOf(name, x, slope, dy); err != nil {
		return nil, nil, err
	}
	if slope == nil {
		return nil, nil, fail(name, fmt.Errorf("%w: the slope", ErrNil))
	}
	shape, err := spec.PReLUShape(x.shape, slope.shape)
	if err != nil {
		return nil, nil, fail(name, err)
	}
	wide, err := slope.Reshape(shape...)
	if err != nil {
		return nil, nil, fail(name, err)
	}
	defer wide.Release()
	dx, d, err := binaryGrad(name, spec.PReLU, dy, x, wide)
	if err != nil {
		return nil, nil, err
	}
	defer d.Release()
	dslope, err = d.Reshape(slope.shape...)
	return dx, dslope, err
}

func binaryGrad(name string, f spec.BinaryFunc, dy, a, b *Tensor) (da, db *Tensor, err error) {
	e, err := engineOf(name, a, b, dy)
	if err != nil {
		return nil, nil, err
	}
	if b == nil || dy == nil {
		return nil, nil, fail(name, fmt.Errorf("%w: the gradient or the second input", ErrNil))
	}
	resolved, err := spec.NewBinary(f, a.shape, b.shape)
	if err != nil {
		return nil, nil, fail(name, err)
	}
	g, err := spec.NewBinaryGrad(f, dy.shape, resolved)
	if err != nil {
		return nil, nil, fail(name, err)
	}
	if rows, ok := resolved.Rows(); ok && e.dev == nil && f == spec.PReLU {
		out, err := e.run(call{
			name: name, fn: "binary_grad", in: []*Tensor{dy, a, b},
			out: []output{{a.shape, Float32}, {b.shape, Float32}},
			cpu: func(out, in [][]float32, plain bool) error {
				if plain {
					cpuref.PReLUGrad(out[0], out[1], in[0], in[1], in[2], rows)
				} else {
					fast.PReLUGrad(out[0], out[1], in[0], in[1], in[2], rows)
				}
				return nil
			},
		})
		if err != nil {
			return nil, nil, err
		}
		return out[0], out[1], nil
	}
	var tmp scope
	defer tmp.release()
	in := []*Tensor{dy, a, b}
	if e.dev == nil { // shaders repeat the operands themselves
		for i := 1; i < len(in); i++ {
			if in[i], err = tmp.add(Expand(in[i], dy.shape...)); err != nil {
				return nil, nil, fail(name, err)
			}
		}
	}
	out, err := e.run(call{
		name: name, fn: "binary_grad", in: in,
		out: []output{{dy.shape, Float32}, {dy.shape, Float32}},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) {
			return shaders.PlanBinaryGrad(resolved, dev, force)
		},
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.BinaryGrad(out[0], out[1], in[0], in[1], in[2], g)
			} else {
				fast.BinaryGrad(out[0], out[1], in[0], in[1], in[2], g)
			}
			return nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	tmp = append(tmp, out...)
	if da, err = SumTo(out[0], a.shape...); err != nil {
		return nil, nil, err
	}
	if db, err = SumTo(out[1], b.shape...); err != nil {
		da.Release()
		return nil, nil, err
	}
	return da, db, nil
}
