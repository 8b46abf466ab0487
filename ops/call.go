package ops

import (
	"fmt"

	"github.com/kansu-dev/kansu/gpu"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// output describes one result of a call.
type output struct {
	shape []int
	dtype DType
}

// call is one use of a function, after its checks: what goes in, what comes
// out, and how to compute it on either kind of device.
type call struct {
	name string    // as the caller wrote it: "Conv"
	fn   string    // the function's row, by which kernels are forced: "conv"
	in   []*Tensor // nil where an optional input is absent
	out  []output
	// plan chooses the kernels for a device; force names one, or is empty.
	plan func(dev shaders.Device, force string) (shaders.Plan, error)
	// cpu computes the outputs in plain Go. Absent inputs are nil. Elements of
	// an Int32 tensor are bits. plain asks for the plain loops.
	cpu func(out, in [][]float32, plain bool) error
	// link says how the call fits in a chain of calls that become one.
	link link
}

// errZeroTensor marks a Tensor{} that no function made.
var errZeroTensor = fmt.Errorf("%w: a Tensor{} that no function returned", ErrNil)

// engineOf returns the engine that all given tensors of values share. The first
// must be there; later ones may be nil, as absent options are.
func engineOf(name string, x *Tensor, more ...*Tensor) (*Engine, error) {
	if x == nil {
		return nil, fail(name, fmt.Errorf("%w: the input", ErrNil))
	}
	if x.eng == nil {
		return nil, fail(name, errZeroTensor)
	}
	e := x.eng
	for _, t := range more {
		if t == nil {
			continue
		}
		if t.eng == nil {
			return nil, fail(name, errZeroTensor)
		}
		if t.eng.rec != nil && e.rec == nil {
			e = t.eng // what meets a recording is recorded
		}
		if t.eng.core != e.core {
			return nil, fail(name, fmt.Errorf("%w: one is on %s, the other on %s", ErrEngine, x.eng.device.Name, t.eng.device.Name))
		}
	}
	for _, t := range append([]*Tensor{x}, more...) {
		switch {
		case t == nil:
		case t.h.gone.Load():
			return nil, fail(name, fmt.Errorf("%w (shape %v)", ErrReleased, t.shape))
		case t.dtype != Float32:
			return nil, fail(name, fmt.Errorf("%w: tensor of shape %v holds %v", ErrType, t.shape, t.dtype))
		}
	}
	return e, nil
}

// engineOfGrad is engineOf for the gradient of an output and more tensors.
func engineOfGrad(name string, dy *Tensor, more ...*Tensor) (*Engine, error) {
	if dy == nil {
		return nil, fail(name, fmt.Errorf("%w: the gradient", ErrNil))
	}
	return engineOf(name, dy, more...)
}

// shapeOf returns a tensor's shape, nil where it is absent.
func shapeOf(t *Tensor) []int {
	if t == nil {
		return nil
	}
	return t.shape
}

// one runs a call with a single float32 output.
func (e *Engine) one(c call, shape []int) (*Tensor, error) {
	c.out = []output{{shape, Float32}}
	out, err := e.run(c)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// run computes a call: it records the plan's dispatches on a GPU, or calls the
// plain Go function, and returns the outputs.
func (e *Engine) run(c call) ([]*Tensor, error) {
	if e.closed.Load() {
		return nil, fail(c.name, ErrClosed)
	}
	in, err := holdAll(c.in)
	if err != nil {
		return nil, fail(c.name, err)
	}
	t, err := e.postpone(c, in)
	if t != nil {
		return []*Tensor{t}, nil
	}
	defer dropAll(in)
	if err == nil {
		err = e.settle(in...)
	}
	if err != nil {
		return nil, fail(c.name, err)
	}
	out := make([]*storage, len(c.out))
	done := false
	defer func() {
		for _, s := range out {
			if s != nil && !done {
				s.drop()
			}
		}
	}()
	for i, o := range c.out {
		s, err := e.newStorage(o.shape)
		if err != nil {
			return nil, fail(c.name, err)
		}
		out[i] = s
	}
	plan, err := e.execute(c, in, out)
	if err != nil {
		return nil, fail(c.name, err)
	}
	done = true
	ts := make([]*Tensor, len(out))
	for i, s := range out {
		ts[i] = e.newTensor(s, c.out[i].shape, c.out[i].dtype)
		ts[i].plan = plan
	}
	return ts, nil
}

// holdAll takes a reference to the storage of each tensor; nil for nil.
func holdAll(ts []*Tensor) ([]*storage, error) {
	held := make([]*storage, len(ts))
	for i, t := range ts {
		if t == nil {
			continue
		}
		s, err := t.hold()
		if err != nil {
			dropAll(held)
			return nil, err
		}
		held[i] = s
	}
	return held, nil
}

func dropAll(held []*storage) {
	for _, s := range held {
		if s != nil {
			s.drop()
		}
	}
}

// execute records the call's dispatches, or computes it in plain Go. The plan is
// nil there.
func (e *Engine) execute(c call, in, out []*storage) (*shaders.Plan, error) {
	if e.dev != nil {
		return e.record(c, in, out)
	}
	return nil, e.compute(c, in, out)
}

// record plans the call for the GPU and records its dispatches.
func (e *Engine) record(c call, in, out []*storage) (*shaders.Plan, error) {
	plan, err := c.plan(e.PlanDevice(), e.force(c.fn))
	if err != nil {
		return nil, err
	}
	temps := make([]*storage, len(plan.Temps))
	defer func() {
		for _, s := range temps {
			if s != nil {
				s.drop() // recorded work keeps the memory until it has run
			}
		}
	}()
	for i, n := range plan.Temps {
		if temps[i], err = e.newStorage([]int{n}); err != nil {
			return nil, err
		}
	}
	var few [8]*gpu.Buffer
	for _, st := range plan.Steps {
		k, err := e.kernel(st.Kernel)
		if err != nil {
			return nil, err
		}
		bufs := few[:0]
		for _, o := range st.Operands {
			var b *gpu.Buffer
			switch {
			case o.IsIn():
				if in[o.Index] != nil {
					b = in[o.Index].buf
				}
			case o.IsOut():
				b = out[o.Index].buf
			default:
				b = temps[o.Index].buf
			}
			bufs = append(bufs, b)
		}
		if err := e.dev.Dispatch(k, st.Params, bufs, st.Groups); err != nil {
			return nil, err
		}
		if e.rec != nil {
			e.rec.dispatched(e.dev, k, st, bufs)
		}
	}
	if e.rec != nil {
		e.rec.keep(in)
	}
	return &plan, nil
}

// compute runs the call in plain Go.
func (e *Engine) compute(c call, in, out []*storage) error {
	ins, outs := make([][]float32, len(in)), make([][]float32, len(out))
	for i, s := range in {
		if s != nil {
			ins[i] = s.host[:s.n]
		}
	}
	for i, s := range out {
		outs[i] = s.host[:s.n]
	}
	force := e.force(c.fn)
	if force != "" && force != "plain" {
		return &spec.Error{Kind: ErrUnsupported, Message: fmt.Sprintf("pure Go has no kernel %q; it has plain, and its own choice", force)}
	}
	if err := c.cpu(outs, ins, force == "plain"); err != nil {
		return err
	}
	if e.rec != nil {
		e.rec.computed(func() error { return c.cpu(outs, ins, force == "plain") })
		e.rec.keep(in)
	}
	return nil
}
