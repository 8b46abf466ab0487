package ops

import (
	"sync"

	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Consecutive pointwise calls become one where nothing else reads what is
// between them, and so does what they follow, where that can end with them: a
// source, such as a convolution.
//
// A pointwise call checks everything and takes its memory at once, so that its
// errors are its own, but waits as the end of a chain; a source begins one. The
// next call goes on with the chain if it is pointwise and takes the chain's last
// value; any other call, and whatever waits for data, has the chain computed first.
// Only then is it known which values between nobody has a tensor of any more: those
// are never written, and their memory goes back unused. A value of which there
// still is a tensor ends a pass and begins the next.
//
// In pure Go the first pass of a chain overwrites what it goes on from where
// that, too, was released: it reads and writes the same lines of the cache, half
// of the traffic. So normalizations wait as well, each as a chain of its own.
//
// There is at most one chain that waits. It has a reference to all that it reads
// and writes, so no memory of it is used again before it has run.

// linkKind says which form of function a call is.
type linkKind uint8

const (
	linkNone   linkKind = iota // not pointwise
	linkUnary                  // a function of one tensor
	linkBinary                 // a function of two
	linkNorm                   // a batch normalization with given statistics
	linkSource                 // no such function, but a chain may begin with it
	linkAlone                  // no such function, but one that may overwrite its first operand
)

// link is a call as part of a chain.
type link struct {
	kind linkKind
	act  spec.Activation
	pair *spec.Binary
	norm spec.FusedNorm
	// with makes a source end with an activation, where it has none: the call
	// without inputs. tail is its call.cpu that ends with a chain. Either may be
	// nil.
	with func(a Activation) call
	tail func(out, in [][]float32, t *fast.Tail)
}

// source is the link of a call that can end with an activation; own is the one
// that it has.
func source(own Activation, with func(a Activation) call) link {
	if own.Func != spec.Identity {
		with = nil
	}
	return link{kind: linkSource, with: with}
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
	switch {
	case c.link.kind == linkNone, c.link.kind == linkAlone && e.dev != nil,
		c.link.kind == linkSource && c.link.with == nil && (c.link.tail == nil || e.dev != nil),
		e.force(c.fn) != "", e.force("fused") != "":
		return nil, nil
	case c.link.kind == linkSource && e.dev != nil: // an error of its plan is its own
		plan, err := c.plan(e.PlanDevice(), "")
		if err != nil {
			return nil, err
		}
		c.plan = func(shaders.Device, string) (shaders.Plan, error) { return plan, nil }
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
	if c.link.kind != linkBinary {
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
	if p.links[0].c.link.kind == linkAlone {
		return l, false
	}
	switch c.link.kind {
	case linkSource, linkAlone:
		return l, false
	case linkUnary:
		return l, in[0] == last && (p.links[0].c.link.kind != linkSource || fast.InTail(c.link.act))
	case linkNorm:
		return l, in[0] == last && p.normalizes(&c.link.norm, in[1:])
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

// normalizes says whether a normalization with these statistics, scale and shift
// can be the next: all of a chain go by the same planes.
func (p *chain) normalizes(g *spec.FusedNorm, with []*storage) bool {
	for _, s := range with {
		if s != nil && s.wait.Load() != nil {
			return false
		}
	}
	for i := range p.links {
		if l := &p.links[i].c.link; l.kind == linkNorm && l.norm.Inner != g.Inner {
			return false
		}
	}
	return p.inputs()+len(with) <= spec.MaxFusedInputs
}

// inputs is how many tensors the chain reads, beside those of a source, were each
// another one.
func (p *chain) inputs() int {
	n := 1
	for i := range p.links {
		switch p.links[i].c.link.kind {
		case linkBinary:
			n++
		case linkNorm:
			n += len(p.links[i].in) - 1
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
			if s != nil && (i == 0 || s != p.links[i-1].out) { // that one's reference is its link's
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
