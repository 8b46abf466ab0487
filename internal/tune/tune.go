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

// Shape measures all kernels that can serve a case, in rotation, and compares
// those that are faster than the model's choice with the oracle. Kernels are
// chosen as a table would choose them, so that none is tried which a table could
// not give.
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
	in, err := cases.Upload(e, w.Case, cases.DrawsQuick(w.Case, 1))
	if err != nil {
		return out, err
	}
	defer release(in)
	s := &shape{e: e, c: w.Case, in: in}
	if c, ok := w.Case.(cases.Backward); ok {
		if s.saved, err = c.Save(in); err != nil {
			return out, err
		}
		defer release(s.saved)
	}
	plan, err := s.planOf(one)
	if err != nil || plan == nil || plan.Class == "" {
		return out, err
	}
	out.Function, out.Class, out.Model = plan.Function, plan.Class, plan.Variant
	var kernels []kernel
	for _, name := range shaders.Tunable()[plan.Function] {
		t, err := entries([]shaders.TableEntry{{Function: plan.Function, Class: plan.Class, Kernel: name, Gain: 1}})
		if err != nil {
			return out, err
		}
		k := kernel{table: t, trial: Trial{Kernel: name}}
		p, err := s.planOf(t)
		if err != nil {
			return out, fmt.Errorf("kernel %s: %w", name, err)
		}
		if p.Variant != name {
			continue // it cannot serve this call
		}
		start := time.Now()
		if _, err := s.batch(1); err != nil {
			return out, fmt.Errorf("kernel %s: %w", name, err)
		}
		k.first = time.Since(start)
		kernels = append(kernels, k)
	}
	if err := s.rotate(out.Model, kernels, o); err != nil {
		return out, err
	}
	for _, k := range kernels {
		slices.Sort(k.trial.Gains)
		slices.Sort(k.times)
		if len(k.times) > 0 {
			k.trial.Ns = k.times[len(k.times)/2]
		}
		if k.trial.Kernel != out.Model && k.trial.wins() {
			if err := s.check(row, &k); err != nil {
				return out, err
			}
		}
		out.Trials = append(out.Trials, k.trial)
	}
	return out, nil
}

// wins reports whether a kernel counts for a table: the others need no comparison
// with the oracle, which takes longer than all the measuring.
func (t *Trial) wins() bool { return !t.Slow && t.low() >= 1 }

// shape is a case under measurement, its inputs on the device.
type shape struct {
	e     *ops.Engine
	c     cases.Case
	in    []*ops.Tensor
	saved []*ops.Tensor // of a cases.Backward
	drawn [][]float32   // for the oracle, and
	want  []cases.Want  // its answer, once one was asked for
}

// call makes the call that is timed.
func (s *shape) call() ([]*ops.Tensor, error) {
	if c, ok := s.c.(cases.Backward); ok {
		return c.Gradient(s.in, s.saved)
	}
	return s.c.Call(s.in)
}

// check compares a kernel with the oracle.
func (s *shape) check(row cases.Row, k *kernel) error {
	if s.want == nil {
		s.drawn, s.want = cases.Prepare(row, s.c)
	}
	s.e.UseTable(k.table)
	if err := dirty(s.e, s.want); err != nil {
		return err
	}
	k.trial.Err = cases.CheckAgainst(s.e, row, s.c, "", s.drawn, s.want).Err
	return nil
}

// kernel is a trial under way.
type kernel struct {
	table *shaders.Table
	trial Trial
	first time.Duration // of a call, after the one that had it compiled
	times []float64     // ns of a call, for each round
}

func entries(e []shaders.TableEntry) (*shaders.Table, error) {
	return shaders.NewTable(shaders.Table{Device: "this one"}, e)
}

// planOf makes a call with a table and returns its plan.
func (s *shape) planOf(t *shaders.Table) (*shaders.Plan, error) {
	s.e.UseTable(t)
	out, err := s.call()
	if err != nil {
		return nil, err
	}
	defer release(out)
	return out[0].Plan(), s.e.Wait()
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

// long is how many nanoseconds a round of a kernel takes at least: so that a
// submission does not show.
const long = 10e6

// rotate times the kernels in turn, each round from another one on, so that what
// slows the machine for a while slows all of them.
func (s *shape) rotate(model string, kernels []kernel, o Options) error {
	calls := 1
	base := slices.IndexFunc(kernels, func(k kernel) bool { return k.trial.Kernel == model })
	if base < 0 {
		return fmt.Errorf("the model's choice %s is none of the kernels", model)
	}
	s.e.UseTable(kernels[base].table)
	first, err := s.batch(1)
	if err != nil {
		return err
	}
	calls = int(min(max(1, long/max(first, 1000)), 200))
	start := time.Now()
	for round := 0; round < o.Rounds || time.Since(start) < o.Time; round++ {
		fastest := math.Inf(1)
		for i := range kernels {
			k := &kernels[(round+i)%len(kernels)]
			if k.trial.Slow {
				continue
			}
			s.e.UseTable(k.table)
			if round == 0 && k.trial.Kernel != model {
				if k.trial.Slow, err = s.tooLong(k.first, max(first, long)); err != nil {
					return err
				}
				if k.trial.Slow {
					continue
				}
			}
			ns, err := s.batch(calls)
			if err != nil {
				return err
			}
			k.times = append(k.times, ns)
			fastest = min(fastest, slices.Min(k.times))
		}
		for i := range kernels {
			k := &kernels[i]
			if k.trial.Slow {
				continue
			}
			k.trial.Gains = append(k.trial.Gains, kernels[base].times[round]/k.times[round])
			k.trial.Slow = i != base && slices.Min(k.times) > hopeless*fastest // one slow round may be the machine's
		}
	}
	return nil
}

// tooLong reports whether one call is too long to make a round of, beside the
// nanoseconds of a round: a call that seemed so is made again, since the machine may
// have been busy with something else.
func (s *shape) tooLong(once time.Duration, round float64) (bool, error) {
	const rounds = 20
	if float64(once) <= rounds*round {
		return false, nil
	}
	again, err := s.batch(1)
	return again > rounds*round, err
}

// batch returns the nanoseconds of one call among several, by the device's own
// clock where it has one.
func (s *shape) batch(calls int) (float64, error) {
	run := func() error {
		for range calls {
			out, err := s.call()
			if err != nil {
				return err
			}
			release(out)
		}
		return nil
	}
	e := s.e
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
