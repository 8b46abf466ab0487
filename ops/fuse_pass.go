package ops

import (
	"errors"
	"slices"

	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// How a chain of calls is computed: the passes that it is cut into, and the calls
// that they are.

// pass computes calls, of which only the last one's value is wanted.
func (p *chain) pass(links []chained) error {
	last := links[len(links)-1]
	if p.e.closed.Load() {
		return ErrClosed
	}
	at := p.overwrites(links)
	if len(links) == 1 {
		in := last.in
		if at >= 0 {
			in = slices.Clone(in)
			in[at] = last.out
		}
		plan, err := p.e.execute(last.c, in, []*storage{last.out})
		last.out.made.Store(plan)
		return err
	}
	if s := &links[0]; s.c.link.kind == linkSource && (p.e.dev != nil || s.c.link.tail == nil) {
		return p.source(links)
	}
	c, in := fusedCall(links, p.n)
	if at >= 0 {
		in[0] = last.out
	}
	plan, err := p.e.execute(c, in, []*storage{last.out})
	if errors.Is(err, ErrUnsupported) {
		return p.apart(links)
	}
	if err != nil {
		return err
	}
	if plan == nil {
		plan = &shaders.Plan{Function: c.fn, Variant: "pure Go", Why: c.name + " in one pass: nothing else reads what is between"}
	}
	for i := range links {
		links[i].out.made.Store(plan)
	}
	return nil
}

// overwrites gives the result of the chain's first pass the memory of the tensor
// that it goes on from, in pure Go and where nobody else can read that, and
// returns which operand of the first call that is; -1 where it may not.
func (p *chain) overwrites(links []chained) int {
	first, out, at := &links[0], links[len(links)-1].out, 0
	if first.second {
		at = 1
	}
	s := first.in[at]
	if p.e.dev != nil || p.e.rec != nil || first != &p.links[0] || first.c.link.kind == linkSource || p.e.force(first.c.fn) != "" ||
		s.rec != nil || s.n != out.n || s.refs.Load() != 1 { // the chain's own, so that it stays the only one
		return -1
	}
	out.host, s.host = s.host, out.host
	return at
}

// source computes a source that cannot end with a chain, but with an activation,
// and what follows it.
func (p *chain) source(links []chained) error {
	s, rest := links[0], links[1:]
	if c, ok := p.ending(s.c, rest[0].c.link); ok {
		s.c, s.out = c, rest[0].out
		rest = rest[1:]
	}
	if len(rest) == 0 {
		plan, err := p.e.execute(s.c, s.in, []*storage{s.out})
		if plan == nil {
			plan = &shaders.Plan{Function: s.c.fn, Variant: "pure Go", Why: s.c.name + " with an activation: nothing else reads what is between"}
		}
		for i := range links {
			links[i].out.made.Store(plan)
		}
		return err
	}
	between, err := p.e.newStorage(s.c.out[0].shape)
	if err != nil {
		return err
	}
	defer between.drop()
	plan, err := p.e.execute(s.c, s.in, []*storage{between})
	if err != nil {
		return err
	}
	for i := range links[:len(links)-len(rest)] {
		links[i].out.made.Store(plan)
	}
	return p.pass(append([]chained{from(rest[0], between)}, rest[1:]...))
}

// from returns a call that takes another value of the one before.
func from(l chained, v *storage) chained {
	at := 0
	if l.second {
		at = 1
	}
	l.in = slices.Clone(l.in)
	l.in[at] = v
	return l
}

// ending returns a source that ends with the next call, where that is an
// activation that it applies to the same bits: on a GPU a clamp, which no compiler
// contracts with what is before, by the same kernel.
func (p *chain) ending(c call, next link) (call, bool) {
	if c.link.with == nil || next.kind != linkUnary || p.e.dev != nil && !shaders.IsClamp(next.act) {
		return c, false
	}
	with := c.link.with(next.act)
	with.out = c.out
	if p.e.dev == nil {
		return with, true
	}
	dev := p.e.PlanDevice()
	a, errA := c.plan(dev, "")
	b, errB := with.plan(dev, "")
	if errA != nil || errB != nil || a.Variant != b.Variant || !b.ClampsAlike(dev) {
		return c, false
	}
	with.plan = func(shaders.Device, string) (shaders.Plan, error) { return b, nil }
	return with, true
}

// apart computes calls one by one, with memory of its own for what is between.
func (p *chain) apart(links []chained) error {
	var before, now *storage
	for i := range links {
		l := links[i]
		if i > 0 {
			l = from(l, now)
		}
		var err error
		before, now = now, l.out
		if i < len(links)-1 {
			if now, err = p.e.newStorage(l.c.out[0].shape); err != nil {
				dropAll([]*storage{before})
				return err
			}
		}
		plan, err := p.e.execute(l.c, l.in, []*storage{now})
		dropAll([]*storage{before})
		if err != nil {
			if now != l.out {
				now.drop()
			}
			return err
		}
		l.out.made.Store(plan)
	}
	return nil
}

// fusedCall returns calls as one, and what it reads.
func fusedCall(links []chained, n int) (call, []*storage) {
	if source := links[0]; source.c.link.kind == linkSource {
		f, in := fusedOf(links[1:], n)
		own := len(source.in)
		return call{
			name: source.c.name + ", " + f.String(), fn: source.c.fn,
			cpu: func(out, in [][]float32, _ bool) error {
				source.c.link.tail(out, in[:own], fast.NewTail(out[0], in[own-1:], &f))
				return nil
			},
		}, slices.Concat(source.in, in[1:])
	}
	f, in := fusedOf(links, n)
	return call{
		name: f.String(), fn: "fused",
		plan: func(dev shaders.Device, force string) (shaders.Plan, error) { return shaders.PlanFused(f, dev, force) },
		cpu: func(out, in [][]float32, _ bool) error {
			fast.Fused(out[0], in, &f)
			return nil
		},
	}, in
}

// fusedOf returns calls as one, with all that it reads, each once. The first
// input is what the first call goes on from.
func fusedOf(links []chained, n int) (spec.Fused, []*storage) {
	first := 0
	if links[0].second {
		first = 1
	}
	f := spec.Fused{N: n, Inputs: []spec.FusedInput{{Inner: 1, Size: n}}}
	in := []*storage{links[0].in[first]}
	input := func(s *storage, repeats spec.FusedInput) int {
		for j := range in {
			if in[j] == s && f.Inputs[j] == repeats {
				return j
			}
		}
		in = append(in, s)
		f.Inputs = append(f.Inputs, repeats)
		return len(in) - 1
	}
	for i := range links {
		l := &links[i]
		switch l.c.link.kind {
		case linkUnary:
			f.Steps = append(f.Steps, spec.FusedStep{Act: l.c.link.act, Other: -1})
		case linkNorm:
			g := l.c.link.norm
			for j, to := range []*int{&g.Mean, &g.Variance, &g.Scale, &g.Shift} {
				if s := l.in[1+j]; s != nil {
					*to = input(s, g.FusedInput)
				}
			}
			f.Steps = append(f.Steps, spec.FusedStep{Norm: &g, Other: -1})
		default:
			other := l.in[1]
			if l.second {
				other = l.in[0]
			}
			f.Steps = append(f.Steps, spec.FusedStep{Func: l.c.link.pair.Func, Other: input(other, l.other), Second: l.second})
		}
	}
	return f, in
}
