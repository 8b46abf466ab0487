package ops

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Consecutive pointwise calls become one where nothing else reads what is
// between them.
//
// A pointwise call checks everything and takes its memory at once, so that its
// errors are its own, but waits as the end of a chain. The next call goes on
// with the chain if it is pointwise and takes the chain's last value; any other
// call, and whatever waits for data, has the chain computed first. Only then is
// it known which values between nobody has a tensor of any more: those are never
// written, and their memory goes back unused. A value of which there still is a
// tensor ends a pass and begins the next.
//
// There is at most one chain that waits. It has a reference to all that it reads
// and writes, so no memory of it is used again before it has run.

// linkKind says which form of function a call is.
type linkKind uint8

const (
	linkNone   linkKind = iota // not pointwise
	linkUnary                  // a function of one tensor
	linkBinary                 // a function of two
)

// link is a call as part of a chain.
type link struct {
	kind linkKind
	act  spec.Activation
	pair *spec.Binary
}

// chain is a sequence of pointwise calls, each of which takes the value of the
// one before.
type chain struct {
	e     *Engine
	n     int // elements
	links []chained

	mu   sync.Mutex // held while it is computed
	done bool
	err  error
}

// chained is one call of a chain. The chain has a reference to all of it.
type chained struct {
	c      call
	in     []*storage
	out    *storage
	second bool            // the value before is the second operand
	other  spec.FusedInput // how the other operand repeats
	gone   bool            // nobody can read out any more, and its memory is given back
}

// chains holds the chain that waits.
type chains struct {
	mu      sync.Mutex
	waiting *chain
	running sync.RWMutex // read-locked for each chain that was taken out and is not done
}

// take takes the chain out that waits, if it is p or p is nil. Its caller must run it.
func (cs *chains) take(p *chain) *chain {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	w := cs.waiting
	if w == nil || p != nil && w != p {
		return nil
	}
	cs.waiting = nil
	cs.running.RLock()
	return w
}

// run computes a chain that was taken out.
func (cs *chains) run(p *chain) {
	if p != nil {
		p.run()
		cs.running.RUnlock()
	}
}

// wait waits until none is running.
func (cs *chains) wait() {
	cs.running.Lock()
	defer cs.running.Unlock()
}

// settle has the chain computed that waits, and waits for those that compute
// these storages. It returns the error of the latter.
func (e *Engine) settle(need ...*storage) error {
	e.chains.run(e.chains.take(nil))
	for _, s := range need {
		if s == nil {
			continue
		}
		if p := s.wait.Load(); p != nil {
			if err := p.result(); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleAll has every chain computed and returns the error of the last one.
func (e *Engine) settleAll() error {
	p := e.chains.take(nil)
	e.chains.run(p)
	e.chains.wait() // for those that other goroutines took out
	if p == nil {
		return nil
	}
	return p.result()
}

// result returns the chain's error when it is computed. Where another goroutine
// has taken it out, whoever comes first computes it.
func (p *chain) result() error {
	p.e.chains.run(p.e.chains.take(p))
	p.run()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// postpone puts a pointwise call at the end of the chain that waits, or begins a
// new one with it. The tensor that it returns is nil for a call that is to be
// computed now; else the chain has taken over the references to in. Without
// memory for the result that is so too: computing the chain may free some.
func (e *Engine) postpone(c call, in []*storage) (*Tensor, error) {
	if c.link.kind == linkNone || e.force(c.fn) != "" || e.force("fused") != "" {
		return nil, nil
	}
	c.in = nil // else the chain would keep tensors from the garbage collector
	n := spec.Count(c.out[0].shape)
	cs := &e.chains
	cs.mu.Lock()
	if p := cs.waiting; p != nil {
		if l, ok := p.next(e, c, in, n); ok {
			defer cs.mu.Unlock()
			p.forget()
			return p.add(l), nil
		}
	}
	cs.mu.Unlock()
	l, ok := head(c, in, n)
	if !ok {
		return nil, nil
	}
	if err := e.settle(in...); err != nil {
		return nil, err
	}
	p := &chain{e: e, n: n}
	t := p.add(l)
	if t == nil {
		return nil, nil
	}
	cs.mu.Lock()
	before := cs.waiting // another goroutine's
	if before != nil {
		cs.running.RLock()
	}
	cs.waiting = p
	cs.mu.Unlock()
	cs.run(before)
	return t, nil
}

// head returns a call as the first of a chain of n elements, if it can be.
func head(c call, in []*storage, n int) (chained, bool) {
	l := chained{c: c, in: in}
	if c.link.kind == linkUnary {
		return l, true
	}
	a, b, okA, okB := c.link.pair.FusedOperands()
	switch {
	case !okA || !okB:
	case in[0].n == n:
		l.other = b
		return l, true
	case in[1].n == n:
		l.second, l.other = true, a
		return l, true
	}
	return l, false
}

// next returns a call as the next of the chain, if it can be.
func (p *chain) next(e *Engine, c call, in []*storage, n int) (chained, bool) {
	last := p.links[len(p.links)-1].out
	l := chained{c: c, in: in}
	if p.e != e && (p.e.core != e.core || p.e.rec != e.rec) || n != p.n || len(p.links) == spec.MaxFusedSteps {
		return l, false
	}
	if c.link.kind == linkUnary {
		return l, in[0] == last
	}
	a, b, okA, okB := c.link.pair.FusedOperands()
	if !okA || !okB || p.inputs() == spec.MaxFusedInputs {
		return l, false
	}
	other := in[1]
	switch {
	case in[0] == last:
		l.other = b
	case in[1] == last:
		other = in[0]
		l.second, l.other = true, a
	default:
		return l, false
	}
	return l, other.wait.Load() == nil
}

// inputs is how many tensors the chain reads, were each another one.
func (p *chain) inputs() int {
	n := 1
	for i := range p.links {
		if p.links[i].c.link.kind == linkBinary {
			n++
		}
	}
	return n
}

// add appends a call and returns its tensor, nil where there is no memory.
func (p *chain) add(l chained) *Tensor {
	o := l.c.out[0]
	out, err := p.e.newStorage(o.shape)
	if err != nil {
		return nil
	}
	out.refs.Store(2) // the tensor's and the chain's
	if len(p.links) > 0 {
		p.links[len(p.links)-1].out.drop() // the chain has a reference to that already
	}
	out.wait.Store(p)
	l.out = out
	p.links = append(p.links, l)
	return p.e.newTensor(out, o.shape, o.dtype)
}

// forget gives the memory of values back that nobody can read but the chain,
// all but the last one's.
func (p *chain) forget() {
	for i := range p.links[:len(p.links)-1] {
		if l := &p.links[i]; !l.gone && l.out.refs.CompareAndSwap(1, 0) {
			l.gone = true
			l.out.end()
		}
	}
}

// run computes the chain: a pass for each part whose end somebody can read.
func (p *chain) run() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	p.done = true
	p.forget()
	from := 0
	for i := range p.links {
		if p.links[i].gone {
			continue
		}
		if p.err == nil {
			p.err = p.pass(p.links[from : i+1])
		}
		from = i + 1
	}
	for i := range p.links {
		l := &p.links[i]
		if p.err == nil {
			l.out.wait.Store(nil)
		}
		for _, s := range l.in {
			if i == 0 || s != p.links[i-1].out { // that one's reference is its link's
				s.drop()
			}
		}
	}
	for i := range p.links {
		if l := &p.links[i]; !l.gone {
			l.out.drop()
		}
	}
	p.links = nil
}

// pass computes calls, of which only the last one's value is wanted.
func (p *chain) pass(links []chained) error {
	last := links[len(links)-1]
	if p.e.closed.Load() {
		return ErrClosed
	}
	if len(links) == 1 {
		plan, err := p.e.execute(last.c, last.in, []*storage{last.out})
		last.out.made.Store(plan)
		return err
	}
	f, in := fusedOf(links, p.n)
	plan, err := p.e.execute(call{
		name: last.c.name, fn: "fused",
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanFused(f, dev, force) },
		cpu: func(out, in [][]float32, _ bool) error {
			fast.Fused(out[0], in, &f)
			return nil
		},
	}, in, []*storage{last.out})
	if err != nil {
		return err
	}
	if plan == nil {
		plan = &shaders.Plan{Function: "fused", Variant: "pure Go", Why: fmt.Sprintf("%v in one pass: nothing else reads what is between", &f)}
	}
	for i := range links {
		links[i].out.made.Store(plan)
	}
	return nil
}

// fusedOf returns calls as one, with all that it reads, each once.
func fusedOf(links []chained, n int) (spec.Fused, []*storage) {
	first := 0
	if links[0].second {
		first = 1
	}
	f := spec.Fused{N: n, Inputs: []spec.FusedInput{{Inner: 1, Size: n}}}
	in := []*storage{links[0].in[first]}
	for i := range links {
		l := &links[i]
		if l.c.link.kind == linkUnary {
			f.Steps = append(f.Steps, spec.FusedStep{Act: l.c.link.act, Other: -1})
			continue
		}
		other := l.in[1]
		if l.second {
			other = l.in[0]
		}
		at := -1
		for j, s := range in {
			if s == other && f.Inputs[j] == l.other {
				at = j
			}
		}
		if at < 0 {
			at = len(in)
			in = append(in, other)
			f.Inputs = append(f.Inputs, l.other)
		}
		f.Steps = append(f.Steps, spec.FusedStep{Func: l.c.link.pair.Func, Other: at, Second: l.second})
	}
	return f, slices.Clip(in)
}
