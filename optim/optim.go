// Package optim has the optimisers that train parameters: SGD with momentum,
// Adam and AdamW, and the clipping of gradients by their norm. A step is one
// fused pass over each parameter, on the device where the parameter is.
package optim

import (
	"errors"
	"fmt"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// Optimizer changes parameters by their gradients.
type Optimizer interface {
	// Step makes one step with the gradients that the parameters have
	// collected; parameters without one stay. scale multiplies all gradients,
	// as ClipNorm computes it; nil is 1.
	Step(scale *ops.Tensor) error
	// ZeroGrad drops the collected gradients.
	ZeroGrad()
	// Release gives the optimiser's own memory back. The parameters stay.
	Release()
}

// SGD is stochastic gradient descent with momentum; see ops.SGDStep.
type SGD struct {
	Params  ops.SGDParams // may be changed between steps (LR, for one)
	vars    []*autograd.Variable
	buffers []*ops.Tensor
}

// errNoOptimizer is what a nil optimiser says.
var errNoOptimizer = fmt.Errorf("optim: %w: the optimiser; was it made?", ops.ErrNil)

// checkVars refuses parameters that a step could not serve.
func checkVars(vars []*autograd.Variable) error {
	if len(vars) == 0 {
		return fmt.Errorf("%w: there is no parameter to optimise", ops.ErrParam)
	}
	seen := map[*autograd.Variable]int{}
	for i, v := range vars {
		if v.Value() == nil {
			return fmt.Errorf("%w: parameter %d", ops.ErrNil, i)
		}
		if j, again := seen[v]; again {
			return fmt.Errorf("%w: parameters %d and %d are the same, which would be stepped twice", ops.ErrParam, j, i)
		}
		seen[v] = i
	}
	return nil
}

// NewSGD returns an optimiser of vars, at least one. It returns ErrParam for
// parameters that make no step, or a variable that is there twice, and ErrNil for
// one without a value.
func NewSGD(vars []*autograd.Variable, p ops.SGDParams) (*SGD, error) {
	err := p.Check()
	if err == nil {
		err = checkVars(vars)
	}
	if err != nil {
		return nil, fmt.Errorf("optim.NewSGD: %w", err)
	}
	return &SGD{Params: p, vars: vars, buffers: make([]*ops.Tensor, len(vars))}, nil
}

// Step implements Optimizer.
func (s *SGD) Step(scale *ops.Tensor) error {
	if s == nil {
		return errNoOptimizer
	}
	for i, v := range s.vars {
		g := v.Grad()
		if g == nil {
			continue
		}
		p, m, err := ops.SGDStep(v.Value(), g, s.buffers[i], scale, s.Params)
		if err != nil {
			return fmt.Errorf("optim: parameter %d: %w", i, err)
		}
		v.Set(p)
		s.buffers[i].Release()
		s.buffers[i] = m
	}
	return nil
}

// ZeroGrad implements Optimizer.
func (s *SGD) ZeroGrad() {
	if s != nil {
		zeroGrad(s.vars)
	}
}

// Release implements Optimizer.
func (s *SGD) Release() {
	if s == nil {
		return
	}
	for i, b := range s.buffers {
		b.Release()
		s.buffers[i] = nil
	}
}

func zeroGrad(vars []*autograd.Variable) {
	for _, v := range vars {
		v.ZeroGrad()
	}
}

// Adam is Adam or, with Params.Decoupled, AdamW; see ops.AdamStep.
type Adam struct {
	Params ops.AdamParams // may be changed between steps (LR, for one); Step counts by itself
	vars   []*autograd.Variable
	m, v   []*ops.Tensor
	missed []int // steps that went by without a gradient of the parameter
}

// NewAdam returns an optimiser of vars, at least one. A zero field of p other than
// WeightDecay has its customary value (spec.DefaultAdam). Errors: as NewSGD.
func NewAdam(vars []*autograd.Variable, p ops.AdamParams) (*Adam, error) {
	d := spec.DefaultAdam()
	for _, f := range []struct {
		v   *float64
		def float64
	}{{&p.LR, d.LR}, {&p.Beta1, d.Beta1}, {&p.Beta2, d.Beta2}, {&p.Eps, d.Eps}} {
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	a := &Adam{Params: p, vars: vars, m: make([]*ops.Tensor, len(vars)), v: make([]*ops.Tensor, len(vars)), missed: make([]int, len(vars))}
	p.Step = 1
	err := p.Check()
	if err == nil {
		err = checkVars(vars)
	}
	if err != nil {
		return nil, fmt.Errorf("optim.NewAdam: %w", err)
	}
	return a, nil
}

// NewAdamW is NewAdam with decoupled weight decay, 0.01 where p has none. Errors:
// as NewSGD.
func NewAdamW(vars []*autograd.Variable, p ops.AdamParams) (*Adam, error) {
	p.Decoupled = true
	if p.WeightDecay == 0 {
		p.WeightDecay = 0.01
	}
	return NewAdam(vars, p)
}

// Step implements Optimizer. The bias of a parameter's moments is corrected for the
// steps that it took part in.
func (a *Adam) Step(scale *ops.Tensor) error {
	if a == nil {
		return errNoOptimizer
	}
	a.Params.Step++
	for i, v := range a.vars {
		if v.Grad() == nil {
			a.missed[i]++
			continue
		}
		if err := a.step(i, scale); err != nil {
			for j := i; j < len(a.vars); j++ {
				a.missed[j]++
			}
			return fmt.Errorf("optim: parameter %d: %w", i, err)
		}
	}
	return nil
}

// step makes a step of parameter i.
func (a *Adam) step(i int, scale *ops.Tensor) error {
	v := a.vars[i]
	if a.m[i] == nil {
		if err := a.start(i); err != nil {
			return err
		}
	}
	o := a.Params
	o.Step -= a.missed[i]
	p, m, s, err := ops.AdamStep(v.Value(), v.Grad(), a.m[i], a.v[i], scale, o)
	if err != nil {
		return err
	}
	v.Set(p)
	a.m[i].Release()
	a.v[i].Release()
	a.m[i], a.v[i] = m, s
	return nil
}

// start makes the moments of parameter i, zeros.
func (a *Adam) start(i int) error {
	x := a.vars[i].Value()
	zeros := make([]float32, x.Len())
	m, err := x.Engine().Tensor(zeros, x.Shape()...)
	if err != nil {
		return err
	}
	v, err := x.Engine().Tensor(zeros, x.Shape()...)
	if err != nil {
		m.Release()
		return err
	}
	a.m[i], a.v[i] = m, v
	return nil
}

// ZeroGrad implements Optimizer.
func (a *Adam) ZeroGrad() {
	if a != nil {
		zeroGrad(a.vars)
	}
}

// Release implements Optimizer.
func (a *Adam) Release() {
	if a == nil {
		return
	}
	for i := range a.vars {
		a.m[i].Release()
		a.v[i].Release()
		a.m[i], a.v[i] = nil, nil
	}
}

// ErrNoGradients marks a clipping of parameters that have no gradients.
var ErrNoGradients = errors.New("no parameter has a gradient")

// ClipNorm returns the total 2-norm of the gradients and the factor that brings
// it down to limit, min(1, limit/(norm+1e-6)), as single numbers on the device:
// the factor is what Optimizer.Step takes. The formula is PyTorch's
// clip_grad_norm_. Both belong to the caller. Errors: ErrNoGradients, ErrParam
// for a limit that is not positive, and those of ops.SumSquare.
func ClipNorm(vars []*autograd.Variable, limit float32) (norm, scale *ops.Tensor, err error) {
	var grads []*ops.Tensor
	for _, v := range vars {
		if g := v.Grad(); g != nil {
			grads = append(grads, g)
		}
	}
	if norm, scale, err = ClipNormOf(grads, limit); err != nil {
		return nil, nil, fmt.Errorf("optim.ClipNorm: %w", err)
	}
	return norm, scale, nil
}

// ClipNormOf is ClipNorm of the gradients themselves, at least one.
func ClipNormOf(grads []*ops.Tensor, limit float32) (norm, scale *ops.Tensor, err error) {
	if !(limit > 0) {
		return nil, nil, fmt.Errorf("%w: limit is %v; it must be positive", ops.ErrParam, limit)
	}
	var total *ops.Tensor
	defer func() { total.Release() }()
	for i, g := range grads {
		sum, err := ops.SumSquare(g, ops.ReduceParams{})
		if err != nil {
			return nil, nil, fmt.Errorf("gradient %d: %w", i, err)
		}
		if total == nil {
			total = sum
			continue
		}
		both, err := ops.Add(total, sum)
		sum.Release()
		if err != nil {
			return nil, nil, err
		}
		total.Release()
		total = both
	}
	if total == nil {
		return nil, nil, ErrNoGradients
	}
	if norm, err = ops.Sqrt(total); err != nil {
		return nil, nil, err
	}
	// limit/(norm+1e-6), and 1 at most.
	inverse, err := chain(norm,
		ops.Activation{Func: spec.Affine, A: 1 / limit, B: 1e-6 / limit},
		ops.Activation{Func: spec.Reciprocal},
		ops.Activation{Func: spec.Clamp, A: 0, B: 1})
	if err != nil {
		norm.Release()
		return nil, nil, err
	}
	return norm, inverse, nil
}

// chain applies pointwise functions one after the other.
func chain(x *ops.Tensor, fs ...ops.Activation) (*ops.Tensor, error) {
	now := x
	for _, f := range fs {
		next, err := ops.Pointwise(now, f)
		if now != x {
			now.Release()
		}
		if err != nil {
			return nil, err
		}
		now = next
	}
	return now, nil
}
