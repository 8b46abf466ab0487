package fast

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
)

func TestUpsampleGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for range 100 {
			mode := []spec.UpsampleMode{spec.Nearest, spec.Linear}[r.IntN(2)]
			g, err := spec.NewUpsample([]int{2, 3, 1 + r.IntN(20), 1 + r.IntN(20)}, spec.UpsampleParams{Mode: mode, Size: []int{1 + r.IntN(50), 1 + r.IntN(50)}})
			require.NoError(t, err)
			dy := random(r, spec.Count(g.OutShape()))
			dst := newGuarded(g.N * g.InSize())
			got := repeatable(t, "upsample", func() []float32 {
				UpsampleGrad(dst.s, dy, g)
				return append([]float32{}, dst.s...)
			})
			dst.check(t, "upsample")
			passes, shapes := g.Passes()
			all := func(f func(float64) float64) []float64 {
				now := mapped(dy, f)
				for i, p := range passes {
					next := make([]float64, spec.Count(shapes[i]))
					cpuref.UpsampleGrad(next, now, p)
					now = next
				}
				return now
			}
			requireNear(t, "upsample", spec.UpsampleGradBudget(g), got, all(asIs), all(math.Abs))
		}
	})
}
