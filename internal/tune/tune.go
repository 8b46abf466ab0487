// Package tune measures which kernel is the fastest on a device for classes of
// shapes, and makes the table of it that ops.WithTuning reads.
package tune

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/tests/cases"
)

// Options says how long to measure, and what is worth an entry.
type Options struct {
	Time   time.Duration // for one shape, over all its kernels
	Rounds int           // rounds through the kernels, at least
	Gain   float64       // how many times as fast as the model's choice a kernel must be
}

// Trial is one kernel that was tried for a shape.
type Trial struct {
	Kernel string
	Ns     float64   // the median time of a call
	Gains  []float64 // for each round, the time of the model's choice over this kernel's, sorted
	Err    error     // the oracle differs: the kernel is never kept
	Slow   bool      // so far behind that it was measured no further
}

// Median returns the middle of the gains, 0 for none.
func (t *Trial) Median() float64 {
	if len(t.Gains) == 0 {
		return 0
	}
	return t.Gains[len(t.Gains)/2]
}

// low is the lower quartile of the gains: what noise leaves of them.
func (t *Trial) low() float64 {
	if len(t.Gains) == 0 {
		return 0
	}
	return t.Gains[len(t.Gains)/4]
}

// Outcome is what was measured for one shape.
type Outcome struct {
	Shape    string
	Function string // as tables name it
	Class    string // of the shape; empty where the function has no choice
	Model    string // the model's choice
	Trials   []Trial
}

// Shape measures all kernels that can serve a case: each is compared with the
// oracle first, then all are timed in rotation. Kernels are chosen as a table
// would choose them, so that none is tried which a table could not give.
func Shape(e *ops.Engine, w cases.Workload, o Options) (Outcome, error) {
	out := Outcome{Shape: w.Name}
	row, err := cases.Find(w.Function)
	if err != nil {
		return out, err
	}
	defer e.UseTable(nil)
	one, err := entries(nil)
	if err != nil {
		return out, err
	}
	in, err := cases.Upload(e, w.Case, cases.Draws(w.Case, 1))
	if err != nil {
		return out, err
	}
	defer release(in)
	plan, err := planOf(e, w.Case, in, one)
	if err != nil || plan == nil || plan.Class == "" {
		return out, err
	}
	out.Function, out.Class, out.Model = plan.Function, plan.Class, plan.Variant
	var kernels []kernel
	values, want := cases.Prepare(row, w.Case)
	for _, name := range shaders.Tunable()[plan.Function] {
		t, err := entries([]shaders.TableEntry{{Function: plan.Function, Class: plan.Class, Kernel: name, Gain: 1}})
		if err != nil {
			return out, err
		}
		k := kernel{table: t, trial: Trial{Kernel: name}}
		p, err := planOf(e, w.Case, in, t)
		if err != nil {
			return out, fmt.Errorf("kernel %s: %w", name, err)
		}
		if p.Variant != name {
			continue // it cannot serve this call
		}
		if err := dirty(e, want); err != nil {
			return out, err
		}
		start := time.Now()
		k.trial.Err = cases.CheckAgainst(e, row, w.Case, "", values, want).Err
		k.first = time.Since(start)
		kernels = append(kernels, k)
	}
	if err := rotate(e, w.Case, in, out.Model, kernels, o); err != nil {
		return out, err
	}
	for _, k := range kernels {
		slices.Sort(k.trial.Gains)
		slices.Sort(k.times)
		if len(k.times) > 0 {
			k.trial.Ns = k.times[len(k.times)/2]
		}
		out.Trials = append(out.Trials, k.trial)
	}
	return out, nil
}

// kernel is a trial under way.
type kernel struct {
	table *shaders.Table
	trial Trial
	first time.Duration // of the checked call, which had it compiled before
	times []float64     // ns of a call, for each round
}

func entries(e []shaders.TableEntry) (*shaders.Table, error) {
	return shaders.NewTable(shaders.Table{Device: "this one"}, e)
}

// planOf makes a call with a table and returns its plan.
func planOf(e *ops.Engine, c cases.Case, in []*ops.Tensor, t *shaders.Table) (*shaders.Plan, error) {
	e.UseTable(t)
	out, err := c.Call(in)
	if err != nil {
		return nil, err
	}
	defer release(out)
	return out[0].Plan(), e.Wait()
}

// dirty fills the memory that results will come to lie in with NaN, since there
// the right answer of another kernel may still be.
func dirty(e *ops.Engine, want []cases.Want) error {
	for _, w := range want {
		v := make([]float32, len(w.Value))
		for i := range v {
			v[i] = float32(math.NaN())
		}
		t, err := e.Tensor(v, w.Shape...)
		if err != nil {
			return err
		}
		defer t.Release()
	}
	return e.Wait()
}

// hopeless is how many times as slow as the fastest a kernel may be and still be
// measured again, both at their best.
const hopeless = 2

// rotate times the kernels in turn, each round from another one on, so that what
// slows the machine for a while slows all of them.
func rotate(e *ops.Engine, c cases.Case, in []*ops.Tensor, model string, kernels []kernel, o Options) error {
	calls := 1
	base := slices.IndexFunc(kernels, func(k kernel) bool { return k.trial.Kernel == model })
	if base < 0 {
		return fmt.Errorf("the model's choice %s is none of the kernels", model)
	}
	if kernels[base].trial.Err != nil {
		return nil // reported, and there is nothing to compare with
	}
	e.UseTable(kernels[base].table)
	first, err := batch(e, c, in, 1)
	if err != nil {
		return err
	}
	const long = 10e6 // ns: so that a submission does not show
	calls = int(min(max(1, long/max(first, 1000)), 200))
	start := time.Now()
	for round := 0; round < o.Rounds || time.Since(start) < o.Time; round++ {
		fastest := math.Inf(1)
		for i := range kernels {
			k := &kernels[(round+i)%len(kernels)]
			if k.trial.Err != nil || k.trial.Slow {
				continue
			}
			e.UseTable(k.table)
			if round == 0 && k.trial.Kernel != model && k.first > 20*time.Duration(max(first, 1e7)) { // one call is too long to make a round of
				k.trial.Slow = true
				continue
			}
			ns, err := batch(e, c, in, calls)
			if err != nil {
				return err
			}
			k.times = append(k.times, ns)
			fastest = min(fastest, slices.Min(k.times))
		}
		for i := range kernels {
			k := &kernels[i]
			if k.trial.Err != nil || k.trial.Slow {
				continue
			}
			k.trial.Gains = append(k.trial.Gains, kernels[base].times[round]/k.times[round])
			k.trial.Slow = i != base && slices.Min(k.times) > hopeless*fastest // one slow round may be the machine's
		}
	}
	return nil
}

// batch returns the nanoseconds of one call among several, by the device's own
// clock where it has one.
func batch(e *ops.Engine, c cases.Case, in []*ops.Tensor, calls int) (float64, error) {
	run := func() error {
		for range calls {
			out, err := c.Call(in)
			if err != nil {
				return err
			}
			release(out)
		}
		return nil
	}
	if dev := e.GPU(); dev.Info().Timestamps {
		d, err := dev.Time(func() error { return errors.Join(run(), e.Flush()) })
		return float64(d.Nanoseconds()) / float64(calls), err
	}
	start := time.Now()
	if err := run(); err != nil {
		return 0, err
	}
	err := e.Wait()
	return float64(time.Since(start).Nanoseconds()) / float64(calls), err
}

func release(ts []*ops.Tensor) {
	for _, t := range ts {
		t.Release()
	}
}
