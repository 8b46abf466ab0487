package fast

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/spec"
)

func TestPadGrad(t *testing.T) {
	onEach(t, func(t *testing.T) {
		r := newRand(t)
		for range 100 {
			x := []int{2, 3, 8 + r.IntN(20), 8 + r.IntN(20)}
			params := spec.PadParams{
				Mode:  []spec.PadMode{spec.PadReflect, spec.PadReplicate, spec.PadCircular}[r.IntN(3)],
				Begin: []int{r.IntN(11) - 4, r.IntN(11) - 4}, End: []int{r.IntN(11) - 4, r.IntN(11) - 4},
			}
			pad, err := spec.NewPad(x, params)
			require.NoError(t, err)
			passes, shapes, err := spec.NewPadGrads(x, pad.OutShape(), params)
			require.NoError(t, err)
			dy := random(r, spec.Count(pad.OutShape()))
			dst := newGuarded(spec.Count(x))
			got := repeatable(t, "pad", func() []float32 {
				PadGrad(dst.s, dy, passes)
				return append([]float32{}, dst.s...)
			})
			if len(passes) == 0 {
				continue // nothing was padded
			}
			dst.check(t, "pad")
			all := func(f func(float64) float64) []float64 {
				now := mapped(dy, f)
				for i, p := range passes {
					next := make([]float64, spec.Count(shapes[i]))
					cpuref.PadGrad(next, now, p)
					now = next
				}
				return now
			}
			requireNear(t, "pad", spec.PadGradBudget(), got, all(asIs), all(math.Abs))
		}
	})
}
