package conformance

import (
	"errors"
	"fmt"

	"github.com/kansu-dev/kansu/ops"
)

// call is one operator with what it was given. Its methods give up on the whole
// case where something is missing or an ops function returns an error, so that
// an operator reads like its formula.
type call struct {
	eng     *ops.Engine
	op      string
	opset   int
	attrs   Attrs
	in      []*Value          // by position; nil where left out
	by      map[string]*Value // by parameter
	names   []string          // of the inputs, in order
	outputs int               // how many are asked for
	made    *[]*ops.Tensor    // every tensor of the case, to be released
}

// operator computes an operator's outputs, in order or named.
type operator func(c *call) []*Value

// errOutside marks what an operator does not cover because the design does not.
var errOutside = errors.New("outside of the design")

// outside gives up on a case as one that the library does not claim.
func outside(format string, args ...any) {
	panic(wrong{fmt.Errorf("%w: "+format, append([]any{errOutside}, args...)...)})
}

// do keeps the result of an ops function, or gives up.
func (c *call) do(t *ops.Tensor, err error) *ops.Tensor {
	if err != nil {
		panic(wrong{err})
	}
	*c.made = append(*c.made, t)
	return t
}

// value returns an input by position, or nil.
func (c *call) value(i int) *Value {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

// tensor brings a value to the device; nil stays nil.
func (c *call) tensor(v *Value) *ops.Tensor {
	if v == nil {
		return nil
	}
	if v.t == nil {
		f, err := v.Floats()
		if err != nil {
			panic(wrong{err})
		}
		v.t = c.do(c.eng.Tensor(f, v.shape...))
	}
	return v.t
}

// opt returns an optional input by position: nil where left out.
func (c *call) opt(i int) *ops.Tensor { return c.tensor(c.value(i)) }

// x returns a required input by position.
func (c *call) x(i int) *ops.Tensor {
	if c.value(i) == nil {
		fail("%s: input %d is missing", c.op, i)
	}
	return c.opt(i)
}

// optParam returns an optional input by its parameter: nil where left out.
func (c *call) optParam(name string) *ops.Tensor { return c.tensor(c.by[name]) }

// param returns a required input by its parameter.
func (c *call) param(name string) *ops.Tensor {
	if c.by[name] == nil {
		fail("%s: input %q is missing", c.op, name)
	}
	return c.optParam(name)
}

// all returns every input, none of which may be left out.
func (c *call) all() []*ops.Tensor {
	ts := make([]*ops.Tensor, len(c.in))
	for i := range ts {
		ts[i] = c.x(i)
	}
	return ts
}

// scalar returns the single number of an optional input, or the default.
func (c *call) scalar(i int, def float32) float32 {
	v := c.value(i)
	if v == nil {
		return def
	}
	f, err := v.Floats()
	if err != nil {
		panic(wrong{err})
	}
	if len(f) != 1 {
		fail("%s: input %d has shape %v, not one number", c.op, i, v.shape)
	}
	return f[0]
}

// ints returns integers from an input, or from the attribute where the input is
// left out or the operator's version has it as an attribute; nil without both.
func (c *call) ints(i int, attr string) []int {
	if v := c.value(i); v != nil {
		return v.integers()
	}
	return c.attrs.Ints(attr)
}

// constant returns a tensor of one number.
func (c *call) constant(v float32) *ops.Tensor {
	return c.do(c.eng.Tensor([]float32{v}))
}

// filled returns a tensor of one number repeated.
func (c *call) filled(v float32, shape ...int) *ops.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	f := make([]float32, n)
	for i := range f {
		f[i] = v
	}
	return c.do(c.eng.Tensor(f, shape...))
}

// reshape returns a view of another shape.
func (c *call) reshape(t *ops.Tensor, shape ...int) *ops.Tensor {
	return c.do(t.Reshape(shape...))
}

// one is the result of an operator with a single output.
func one(t *ops.Tensor) []*Value { return []*Value{device(t)} }

// axis resolves an axis that may count from the back.
func axis(a, rank int) int {
	if a < -rank || a >= rank {
		fail("axis %d is outside of %d axes", a, rank)
	}
	return (a + rank) % rank
}

// identityPerm returns 0, 1, ..., n-1.
func identityPerm(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	return p
}

// isIdentity reports whether a permutation leaves the axes where they are.
func isIdentity(p []int) bool {
	for i, a := range p {
		if i != a {
			return false
		}
	}
	return true
}

// transpose returns y with y's axis i being x's axis perm[i].
func (c *call) transpose(x *ops.Tensor, perm ...int) *ops.Tensor {
	if isIdentity(perm) {
		return x
	}
	return c.do(ops.Transpose(x, perm...))
}

// inverse returns the permutation that undoes perm.
func inverse(perm []int) []int {
	inv := make([]int, len(perm))
	for i, a := range perm {
		inv[a] = i
	}
	return inv
}

// axesLast returns the permutation that moves some axes, in their order, behind
// the others.
func axesLast(rank int, axes []int) []int {
	moved := make([]bool, rank)
	for _, a := range axes {
		if moved[a] {
			fail("axis %d is named twice in %v", a, axes)
		}
		moved[a] = true
	}
	var perm []int
	for a := range rank {
		if !moved[a] {
			perm = append(perm, a)
		}
	}
	return append(perm, axes...)
}
