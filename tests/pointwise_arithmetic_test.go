package tests

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/tests/internal/wgsl"
)

// TestPointwiseAnyArithmetic runs the shader text of every pointwise function
// in Go, under the arithmetic of devices that are not at hand: what a driver
// may do and WGSL allows must not take a function out of its budget.
func TestPointwiseAnyArithmetic(t *testing.T) {
	s := seed(t)
	for _, c := range []struct {
		name  string
		arith wgsl.Arithmetic
	}{
		{"ieee", wgsl.Arithmetic{}},
		{"fused", wgsl.Arithmetic{Fused: true}},
		{"flush", wgsl.Arithmetic{Flush: true, DropNaN: true}},
		{"fused+flush+inexact", wgsl.Arithmetic{Fused: true, Flush: true, Inexact: true, DropNaN: true}},
		{"flush+inexact", wgsl.Arithmetic{Flush: true, Inexact: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(s, 0))
			for _, f := range sweepActivations() {
				m, err := wgsl.Compile(shaders.ActivationSource("act", f), &c.arith)
				require.NoError(t, err, "%v", f)
				act := m.Function("act")
				a, b := wgsl.Float(f.A), wgsl.Float(f.B)
				all := sweepSample(r, f)
				var w sweepWorst
				for i := r.IntN(100); i < len(all); i += 1 + r.IntN(200) {
					got := act.Call(wgsl.Float(all[i]), a, b).Float()
					w.one(f, f.Budget(), all[i], got)
				}
				t.Logf("%-26v worst %.3f of the budget, %.3f ulp, at %v", f, w.err, w.ulp, w.x)
				if w.bad > 0 {
					t.Errorf("%v: %d of %d inputs are over the budget of %v; the worst: x = %v gives %v, want %v",
						f, w.bad, w.count, f.Budget(), w.x, w.got, w.want)
				}
			}
		})
	}
}
