package tests

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
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
			for _, f := range append(sweepActivations(), randomActivations(r, 10)...) {
				m, err := wgsl.Compile(shaders.ActivationSource("act", f), &c.arith)
				require.NoError(t, err, "%v", f)
				act := m.Function("act")
				a, b := wgsl.Float(f.A), wgsl.Float(f.B)
				all := sweepSample(r, f)
				for range 1000 { // where A*x is moderate, and where A*x+B cancels
					all = append(all, float32(r.NormFloat64()*10/float64(f.A)), float32(r.NormFloat64()*10*float64(f.A)),
						float32(-float64(f.B)/float64(f.A)*(1+r.NormFloat64()*math.Exp(-18*r.Float64()))))
				}
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

// randomActivations draws functions whose parameters enter their arithmetic,
// with parameters from 1e-12 to 1e12 of either sign.
func randomActivations(r *rand.Rand, n int) []spec.Activation {
	draw := func() float32 {
		v := math.Exp((2*r.Float64() - 1) * 27.6)
		if r.IntN(2) == 0 {
			v = -v
		}
		return float32(v)
	}
	funcs := []spec.Pointwise{spec.LeakyReLU, spec.ELU, spec.CELU, spec.Swish, spec.Softplus, spec.Affine, spec.HardSigmoid}
	var all []spec.Activation
	for len(all) < n {
		f := spec.Activation{Func: funcs[r.IntN(len(funcs))], A: draw(), B: draw()}
		if f.Check() == nil {
			all = append(all, f)
		}
	}
	return all
}
