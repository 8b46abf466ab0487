package autograd

import (
	"errors"
	"fmt"
	"sync"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

var (
	// ErrSpent marks the use of a tape after its Backward or Release.
	ErrSpent = errors.New("the tape is spent: a graph serves one backward pass")
	// ErrChanged marks a parameter that was set between its use and Backward.
	ErrChanged = errors.New("a value was changed after the tape used it")
	// ErrTape marks a variable that another tape computed.
	ErrTape = errors.New("a variable belongs to another tape")
	// ErrNoGrad marks a Backward from a value that does not depend on any parameter.
	ErrNoGrad = errors.New("the value does not depend on a parameter")
)

// Variable is a tensor with a place in a graph: a parameter, a constant, or the
// result of a function.
type Variable struct {
	mu      sync.Mutex
	value   *ops.Tensor
	grad    *ops.Tensor // of parameters, after Backward
	version uint64      // counts Set
	param   bool
	tape    *Tape // of results; nil for leaves
	needs   bool  // a gradient flows through it
}

// Param returns a leaf that collects a gradient. It takes over the tensor:
// Set releases it.
func Param(t *ops.Tensor) *Variable { return &Variable{value: t, param: true, needs: true} }

// Value returns the tensor, which belongs to the variable.
func (v *Variable) Value() *ops.Tensor {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.value
}

// Shape returns the tensor's shape; nil for the result of a failed call.
func (v *Variable) Shape() []int {
	if t := v.Value(); t != nil {
		return t.Shape()
	}
	return nil
}

// Grad returns the gradient that Backward has collected; nil before. It belongs
// to the variable.
func (v *Variable) Grad() *ops.Tensor {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.grad
}

// Set replaces the value and releases the old one. A tape that used the old
// value can no longer run backwards. The result of a failed call, nil, stays.
func (v *Variable) Set(t *ops.Tensor) {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.value != t {
		v.value.Release()
	}
	v.value = t
	v.version++
}

// ZeroGrad releases the collected gradient.
func (v *Variable) ZeroGrad() {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.grad.Release()
	v.grad = nil
}

// Release releases value and gradient.
func (v *Variable) Release() {
	if v == nil {
		return
	}
	v.ZeroGrad()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.value.Release()
}

// addGrad adds g, which it takes over, to the collected gradient.
func (v *Variable) addGrad(g *ops.Tensor) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.grad == nil {
		v.grad = g
		return nil
	}
	sum, err := ops.Add(v.grad, g)
	if err != nil {
		return err
	}
	v.grad.Release()
	g.Release()
	v.grad = sum
	return nil
}

// node is one recorded function.
type node struct {
	name     string
	in, out  []*Variable
	versions []uint64      // of the inputs, when they were used
	saved    []*ops.Tensor // what backward needs beside inputs and outputs
	// backward returns the gradients of the inputs, nil where none is needed or
	// none exists. dy has nil where no gradient reached an output. The returned
	// tensors belong to the tape; want tells which inputs need one.
	backward func(dy []*ops.Tensor, want []bool) ([]*ops.Tensor, error)
}

// Tape records a forward pass.
type Tape struct {
	eng    *ops.Engine
	nodes  []*node
	owned  []*ops.Tensor // everything the tape has to release
	noGrad int           // depth of NoGrad regions
	train  bool
	spent  bool
	err    error
}

// NewTape returns an empty tape for the tensors of an engine, in training mode.
func NewTape(e *ops.Engine) *Tape { return &Tape{eng: e, train: true} }

// errNoTape is what a nil tape says.
var errNoTape = fmt.Errorf("autograd: %w: the tape", ops.ErrNil)

// Engine returns the engine.
func (t *Tape) Engine() *ops.Engine {
	if t == nil {
		return nil
	}
	return t.eng
}

// Err returns the first error of the tape's calls.
func (t *Tape) Err() error {
	if t == nil {
		return errNoTape
	}
	return t.err
}

// Const returns a leaf without a gradient. The tensor stays the caller's.
func (t *Tape) Const(x *ops.Tensor) *Variable { return &Variable{value: x} }

// NoGrad runs f; what it computes is not recorded, and gradients stop there.
func (t *Tape) NoGrad(f func()) {
	if t == nil || f == nil {
		return
	}
	t.noGrad++
	defer func() { t.noGrad-- }()
	f()
}

// Detach returns v's value as a constant: gradients stop there.
func (t *Tape) Detach(v *Variable) *Variable { return &Variable{value: v.Value()} }

// Release gives back everything that the tape computed, without a backward
// pass. The values of its variables are gone with it.
func (t *Tape) Release() {
	if t == nil {
		return
	}
	t.spent = true
	for _, x := range t.owned {
		x.Release()
	}
	t.owned, t.nodes = nil, nil
}

// fail keeps the first error.
func (t *Tape) fail(name string, err error) {
	if t != nil && err != nil && t.err == nil {
		t.err = fmt.Errorf("autograd.%s: %w", name, err)
	}
}

// own makes the tape release a tensor in the end.
func (t *Tape) own(ts ...*ops.Tensor) {
	for _, x := range ts {
		if x != nil {
			t.owned = append(t.owned, x)
		}
	}
}

// apply records a function. forward computes the outputs; backward their
// inputs' gradients, see node. Outputs and saved tensors become the tape's.
func (t *Tape) apply(name string, in []*Variable, forward func(x []*ops.Tensor) (out, saved []*ops.Tensor, err error),
	backward func(n *node, dy []*ops.Tensor, want []bool) ([]*ops.Tensor, error)) []*Variable {
	if t == nil {
		return nil
	}
	if t.spent {
		t.fail(name, ErrSpent)
	}
	xs := make([]*ops.Tensor, len(in))
	n := &node{name: name, in: in, versions: make([]uint64, len(in))}
	needs := false
	for i, v := range in {
		if v == nil {
			continue
		}
		if v.tape != nil && v.tape != t {
			t.fail(name, fmt.Errorf("%w: input %d", ErrTape, i))
		}
		v.mu.Lock()
		xs[i], n.versions[i] = v.value, v.version
		needs = needs || v.needs
		v.mu.Unlock()
		if xs[i] == nil {
			t.fail(name, fmt.Errorf("%w: input %d is a variable without a value", ops.ErrNil, i))
		}
	}
	if t.err != nil {
		return nil
	}
	out, saved, err := forward(xs)
	t.own(out...)
	t.own(saved...)
	if err != nil {
		t.fail(name, err)
		return nil
	}
	record := needs && t.noGrad == 0
	n.saved = saved
	for _, y := range out {
		n.out = append(n.out, &Variable{value: y, tape: t, needs: record})
	}
	if record {
		n.backward = func(dy []*ops.Tensor, want []bool) ([]*ops.Tensor, error) { return backward(n, dy, want) }
		t.nodes = append(t.nodes, n)
	}
	return n.out
}

// one is apply for a function with one output.
func (t *Tape) one(name string, in []*Variable, forward func(x []*ops.Tensor) (*ops.Tensor, []*ops.Tensor, error),
	backward func(n *node, dy *ops.Tensor, want []bool) ([]*ops.Tensor, error)) *Variable {
	out := t.apply(name, in, func(x []*ops.Tensor) (out, saved []*ops.Tensor, err error) {
		y, saved, err := forward(x)
		if err != nil {
			return nil, saved, err
		}
		return []*ops.Tensor{y}, saved, nil
	}, func(n *node, dy []*ops.Tensor, want []bool) ([]*ops.Tensor, error) { return backward(n, dy[0], want) })
	if out == nil {
		return nil
	}
	return out[0]
}

// x returns the value of the node's i-th input, y of its i-th output.
func (n *node) x(i int) *ops.Tensor { return n.in[i].Value() }
func (n *node) y(i int) *ops.Tensor { return n.out[i].Value() }

// Backward computes the gradient of loss, a single value, with respect to every
// parameter that it depends on, and adds it to what the parameter has collected.
// It gives back everything that the tape computed; the loss is read before.
//
// It returns the tape's first error, ErrSpent, ErrChanged, ErrNoGrad, or
// ErrShape for a loss with more than one element.
func (t *Tape) Backward(loss *Variable) error { return t.BackwardFrom(loss, nil) }

// BackwardFrom is Backward from any value y with a given gradient dy of y's
// shape; a nil dy is 1, for a single value. Errors: those of Backward, ErrShape and
// ErrType for a dy of another kind.
func (t *Tape) BackwardFrom(y *Variable, dy *ops.Tensor) error {
	if t == nil {
		return errNoTape
	}
	if t.err != nil {
		err := t.err
		t.Release()
		return err
	}
	if t.spent {
		return fmt.Errorf("autograd.Backward: %w", ErrSpent)
	}
	defer t.Release()
	if y == nil || !y.needs || y.tape != t {
		return fmt.Errorf("autograd.Backward: %w", ErrNoGrad)
	}
	for _, n := range t.nodes {
		for i, v := range n.in {
			if v != nil && v.version != n.versions[i] {
				return fmt.Errorf("autograd.Backward: input %d of %s: %w", i, n.name, ErrChanged)
			}
		}
	}
	if dy == nil {
		if len(y.Shape()) > 0 && y.value.Len() != 1 {
			return fmt.Errorf("autograd.Backward: %w: the value has shape %v; without a gradient it must be a single number", ops.ErrShape, y.Shape())
		}
		one, err := y.value.Engine().Tensor([]float32{1}, y.Shape()...)
		if err != nil {
			return fmt.Errorf("autograd.Backward: %w", err)
		}
		t.own(one)
		dy = one
	}
	switch {
	case dy.DType() != ops.Float32:
		return fmt.Errorf("autograd.BackwardFrom: %w: the gradient holds %v", ops.ErrType, dy.DType())
	case !spec.EqualShapes(dy.Shape(), y.Shape()):
		return fmt.Errorf("autograd.BackwardFrom: %w: the gradient is %v, the value %v", ops.ErrShape, dy.Shape(), y.Shape())
	}
	grads := map[*Variable]*ops.Tensor{y: dy}
	for i := len(t.nodes) - 1; i >= 0; i-- {
		if err := t.step(t.nodes[i], grads); err != nil {
			return fmt.Errorf("autograd.Backward: %s: %w", t.nodes[i].name, err)
		}
	}
	return nil
}

// step runs one node backwards.
func (t *Tape) step(n *node, grads map[*Variable]*ops.Tensor) error {
	dys, reached := make([]*ops.Tensor, len(n.out)), false
	for i, v := range n.out {
		dys[i] = grads[v]
		reached = reached || dys[i] != nil
		delete(grads, v)
	}
	if !reached {
		return nil
	}
	want := make([]bool, len(n.in))
	for i, v := range n.in {
		want[i] = v != nil && v.needs
	}
	dxs, err := n.backward(dys, want)
	if err != nil {
		for _, dx := range dxs {
			dx.Release()
		}
		return err
	}
	for i, dx := range dxs {
		if dx == nil {
			continue
		}
		v := n.in[i]
		switch {
		case !want[i]:
			dx.Release()
		case v.param:
			if err := v.addGrad(dx); err != nil {
				return err
			}
		case grads[v] == nil:
			grads[v] = dx
			t.own(dx)
		default: // the value was used more than once: its gradients add up
			sum, err := ops.Add(grads[v], dx)
			dx.Release()
			if err != nil {
				return err
			}
			grads[v] = sum
			t.own(sum)
		}
	}
	return nil
}
