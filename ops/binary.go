package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Add returns a + b with NumPy's broadcasting: shapes are aligned at their last
// axes, and an axis of size 1, or one that is missing, repeats. Errors of this
// and the other functions of two tensors: ErrShape, ErrTooLarge, ErrReleased,
// ErrEngine, ErrOutOfMemory.
func Add(a, b *Tensor) (*Tensor, error) { return binary("Add", spec.Add, a, b) }

// Sub returns a - b with NumPy's broadcasting; see Add.
func Sub(a, b *Tensor) (*Tensor, error) { return binary("Sub", spec.Sub, a, b) }

// Mul returns a * b with NumPy's broadcasting; see Add.
func Mul(a, b *Tensor) (*Tensor, error) { return binary("Mul", spec.Mul, a, b) }

// Div returns a / b, rounded once, with NumPy's broadcasting; see Add.
func Div(a, b *Tensor) (*Tensor, error) { return binary("Div", spec.Div, a, b) }

// Min returns the lesser of a and b, NaN where either is NaN, with NumPy's
// broadcasting; see Add.
func Min(a, b *Tensor) (*Tensor, error) { return binary("Min", spec.Min, a, b) }

// Max returns the greater of a and b, NaN where either is NaN, with NumPy's
// broadcasting; see Add.
func Max(a, b *Tensor) (*Tensor, error) { return binary("Max", spec.Max, a, b) }

// Pow returns a to the power of b, as IEEE 754's pow, with NumPy's broadcasting;
// see Add. A negative a has a power for integers b only, and NaN for others.
func Pow(a, b *Tensor) (*Tensor, error) { return binary("Pow", spec.Pow, a, b) }

// PReLU returns x for x >= 0 and slope*x below. A slope of one axis has one value
// for each channel (axis 1 of x) or one in all, as in PyTorch; a slope of any
// other rank broadcasts to x by NumPy's rules, as in ONNX. Errors: as Add.
func PReLU(x, slope *Tensor) (*Tensor, error) {
	return binaryCall("PReLU", x, slope, spec.NewPReLU)
}

func binary(name string, f spec.BinaryFunc, a, b *Tensor) (*Tensor, error) {
	return binaryCall(name, a, b, func(a, b []int) (spec.Binary, error) { return spec.NewBinary(f, a, b) })
}

func binaryCall(name string, a, b *Tensor, resolve func(a, b []int) (spec.Binary, error)) (*Tensor, error) {
	e, err := engineOf(name, a, b)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fail(name, fmt.Errorf("%w: the second input", ErrNil))
	}
	g, err := resolve(a.shape, b.shape)
	if err != nil {
		return nil, fail(name, err)
	}
	return e.one(call{
		name: name, fn: "binary", in: []*Tensor{a, b}, link: link{kind: linkBinary, pair: &g},
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanBinary(g, dev, force) },
		cpu: func(out, in [][]float32, plain bool) error {
			if plain {
				cpuref.Binary(out[0], in[0], in[1], g)
			} else {
				fast.Binary(out[0], in[0], in[1], g)
			}
			return nil
		},
	}, g.OutShape())
}
