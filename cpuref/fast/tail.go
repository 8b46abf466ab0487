package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// A Tail is a chain of functions, element by element, that another function
// applies to its outputs while they are in the cache. The bits are those of the
// functions one by one. A nil Tail does nothing.
type Tail struct {
	y     []float32
	in    [][]float32
	f     *spec.Fused
	steps []fusedStep

	// What one kernel does before the steps: a normalization, an addition and a
	// clamp, any of which may be absent.
	kernel  bool
	norm    *spec.FusedNorm
	a, b, c []float32
	add     []float32
	lo, hi  float32
}

// InTail says whether a function may be in a tail: the bits that it gives an
// element must not depend on how many neighbours come with it. Those of the sine,
// the cosine and the tangent do, where one of sixteen is large.
func InTail(f spec.Activation) bool {
	_, partial := partialOf(f.Func)
	return !partial
}

// NewTail returns the chain f for the outputs y, which are its first input;
// in[0] is not used.
func NewTail(y []float32, in [][]float32, f *spec.Fused) *Tail {
	t := &Tail{y: y, in: in, f: f, lo: float32(math.Inf(-1)), hi: float32(math.Inf(1))}
	rest := *f
	if simd.Active() != simd.Portable {
		rest.Steps = t.take()
	}
	t.steps = fusedSteps(&rest, in, false)
	return t
}

// take gives the kernel what it can do of the first steps, and returns the others.
func (t *Tail) take() []spec.FusedStep {
	steps := t.f.Steps
	if g := steps[0].Norm; g != nil {
		t.kernel, t.norm = true, g
		t.a, t.b, t.c = fusedFactors(g, t.in)
		steps = steps[1:]
	}
	if len(steps) == 0 {
		return nil
	}
	if s := &steps[0]; s.Other > 0 && s.Func == spec.Add && t.f.Inputs[s.Other] == (spec.FusedInput{Inner: 1, Size: t.f.N}) {
		t.kernel, t.add = true, t.in[s.Other]
		steps = steps[1:]
	}
	if len(steps) == 0 {
		return nil
	}
	if s := &steps[0]; s.Norm == nil && s.Other < 0 {
		if lo, hi, ok := clampOf(s.Act); ok {
			t.kernel, t.lo, t.hi = true, lo, hi
			steps = steps[1:]
		}
	}
	return steps
}

// after returns the activation of a function with this tail, and the tail: the
// activation is that of the tail's first step where the function has none.
func (t *Tail) after(act spec.Activation) (spec.Activation, *Tail) {
	if t == nil || act.Func != spec.Identity {
		return act, t
	}
	first, rest := &t.f.Steps[0], *t.f
	if rest.Steps = rest.Steps[1:]; first.Norm != nil || first.Other >= 0 {
		return act, t
	}
	if len(rest.Steps) == 0 {
		return first.Act, nil
	}
	return first.Act, NewTail(t.y, t.in, &rest)
}

// rows applies the chain to n outputs from lo on, and to as many in each of the
// next rows, stride apart. They are computed otherwise; it must be called once for
// each output.
func (t *Tail) rows(lo, stride, rows, n int) {
	switch {
	case t == nil:
		return
	case t.norm == nil && t.kernel:
		t.run(0, lo, stride, rows, n)
	case t.norm != nil && stride == t.norm.Inner && lo%stride+n <= stride:
		for r := 0; r < rows; { // a row for each channel, until an image ends
			i := (lo/stride + r) % t.norm.Size
			m := min(rows-r, t.norm.Size-i)
			t.run(i, lo+r*stride, stride, m, n)
			r += m
		}
	case t.norm != nil:
		for r := range rows {
			for at, end := lo+r*stride, lo+r*stride+n; at < end; {
				m := min(end-at, t.norm.Inner-at%t.norm.Inner)
				t.run(at/t.norm.Inner%t.norm.Size, at, 0, 1, m)
				at += m
			}
		}
	}
	for r := 0; r < rows && len(t.steps) > 0; r++ {
		for at, end := lo+r*stride, lo+r*stride+n; at < end; at += fusedBlock {
			v := t.y[at:min(end, at+fusedBlock)]
			for _, step := range t.steps {
				step(v, v, at)
			}
		}
	}
}

// run runs the kernel over rows of the channels from i on.
func (t *Tail) run(i, lo, stride, rows, n int) {
	var z, a, b, c *float32
	if t.add != nil {
		z = &t.add[lo]
	}
	if t.norm != nil {
		a, b, c = &t.a[i], &t.b[i], &t.c[i]
	}
	simd.TailRows(&t.y[lo], z, a, b, c, stride, rows, n, t.lo, t.hi)
}
