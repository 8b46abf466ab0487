package bench

import (
	"strings"
	"testing"

	"github.com/kansu-dev/kansu/tests/cases"
	"github.com/stretchr/testify/require"
)

// TestPairs: a gradient is set beside its forward workload by name, and the ratio
// is that of the shares, not of the times.
func TestPairs(t *testing.T) {
	m := func(name string, ms, bytes float64) Measurement {
		return Measurement{Workload: name, Wall: []float64{ms * 1e6}, Bytes: bytes, Footprint: 1e9}
	}
	r := &Report{
		Ceilings: Ceilings{GFlops: 100, CopyGB: 10},
		Measurements: []Measurement{
			m("relu", 1, 8e6), m("tan", 2, 8e6), m("pool_2", 1, 8e6),
			m("relu_grad", 1.2, 12e6), m("tan_grad", 12, 12e6), m("pool_2_grad_input", 1, 8e6),
			m("lonely_grad", 1, 8e6),
		},
	}
	var names []string
	for _, p := range r.Pairs() {
		names = append(names, p.Forward.Workload+" "+p.Gradient.Workload)
	}
	require.Equal(t, []string{"tan tan_grad", "pool_2 pool_2_grad_input", "relu relu_grad"}, names, "the worst first")
	require.InDelta(t, 0.25, r.Pairs()[0].Ratio(), 1e-12)
	require.InDelta(t, 1.25, r.Pairs()[2].Ratio(), 1e-12)

	var text strings.Builder
	r.WriteShares(&text, true)
	require.Contains(t, text.String(), "| tan_grad | 12 | 10% | 2 | 40% | 0.25 |")
	require.Contains(t, text.String(), "1 of 3 gradients reach less than 0.7")

	r.Ceilings = Ceilings{} // nothing was measured: there are no shares
	require.Empty(t, r.Pairs())
}

func TestPaired(t *testing.T) {
	order := func(names ...string) (all []cases.Workload) {
		for _, n := range names {
			all = append(all, cases.Workload{Name: n})
		}
		return all
	}
	require.Equal(t,
		order("a", "a_grad_input", "a_grad", "b", "b_grad", "c_grad", "c_grad_input"),
		Paired(order("a", "b", "a_grad_input", "a_grad", "b_grad", "c_grad", "c_grad_input")))
}
