package fast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/internal/testseed"
	"github.com/kansu-dev/kansu/spec"
	"github.com/stretchr/testify/require"
)

// onEach runs a test at each level that the machine has.
func onEach(t *testing.T, f func(t *testing.T)) {
	for _, l := range simd.Levels() {
		t.Run(l.String(), func(t *testing.T) {
			old := simd.SetLevel(l)
			defer simd.SetLevel(old)
			f(t)
		})
	}
}

// repeatable runs f, which returns a result, with 1, 2 and 5 threads, and
// requires the same bits. It returns the result.
func repeatable(t *testing.T, what string, f func() []float32) []float32 {
	t.Helper()
	defer SetThreads(SetThreads(1))
	one := f()
	for _, n := range []int{2, 5} {
		SetThreads(n)
		again := f()
		for i := range one {
			if math.Float32bits(one[i]) != math.Float32bits(again[i]) && (one[i] == one[i] || again[i] == again[i]) {
				require.Fail(t, "depends on the number of threads", "%s: %d threads, element %d: %v, not %v", what, n, i, again[i], one[i])
			}
		}
	}
	return one
}

func newRand(t *testing.T) *rand.Rand {
	return rand.New(rand.NewPCG(testseed.Of(t, 20240612), 2))
}

// random returns n floats in [-1, 1), at an odd offset.
func random(r *rand.Rand, n int) []float32 {
	s := make([]float32, n+1)[1:]
	for i := range s {
		s[i] = 2*r.Float32() - 1
	}
	return s
}

// guardValue stands around destinations; it must survive.
const guardValue = -12345.5

const guardZone = 64

// guarded is a destination of n floats at an odd offset between guard zones.
type guarded struct{ all, s []float32 }

func newGuarded(n int) guarded {
	all := make([]float32, n+2*guardZone+3)
	for i := range all {
		all[i] = guardValue
	}
	return guarded{all, all[guardZone+3 : guardZone+3+n : guardZone+3+n]}
}

// check fails if a float outside of the destination has changed.
func (g guarded) check(t *testing.T, what string) {
	t.Helper()
	for i, v := range g.all {
		if (i < guardZone+3 || i >= guardZone+3+len(g.s)) && v != guardValue {
			require.Fail(t, "wrote outside of the destination", "at %d of %d; %s", i-guardZone-3, len(g.s), what)
		}
	}
}

// timed runs f in a benchmark and reports, beside the mean, the least and the
// median time and the rate at the least one: work is in operations or bytes.
func timed(b *testing.B, work float64, unit string, f func()) {
	f()
	var ds []float64
	for b.Loop() {
		t := time.Now()
		f()
		ds = append(ds, float64(time.Since(t).Nanoseconds()))
	}
	slices.Sort(ds)
	b.ReportMetric(ds[0]/1e3, "min-us")
	b.ReportMetric(ds[len(ds)/2]/1e3, "med-us")
	b.ReportMetric(work/ds[0], unit)
	b.ReportMetric(0, "ns/op")
}

// onThreads runs a benchmark with one and two threads.
func onThreads(b *testing.B, f func(b *testing.B)) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprintf("%dt", n), func(b *testing.B) {
			defer SetThreads(SetThreads(n))
			f(b)
		})
	}
}

// requireNear compares with the oracle's values, given magnitudes.
func requireNear(t *testing.T, what string, budget spec.Budget, got []float32, want, mag []float64) {
	t.Helper()
	for i, v := range got {
		require.LessOrEqual(t, budget.Err(v, want[i], mag[i]), 1.0, "%s: element %d is %v, want %v", what, i, v, want[i])
	}
}
