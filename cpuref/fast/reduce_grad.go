package fast

import "github.com/kansu-dev/kansu/spec"

// ReduceGrad is the gradient of a greatest or least value over axes; see
// cpuref.ReduceGrad.
func ReduceGrad(dx, dy, x, y []float32, g spec.Reduce) {
	terms := g.Terms()
	run := g.Reduced[0]
	runs := terms / run.Size
	rest := g.Reduced
	rest[0].Size = 1
	ParallelRange(len(y), 1+(1<<14)/terms, 1.5*float64(len(x)), func(low, high int) {
		for o := low; o < high; o++ {
			v := y[o]
			base := placeOf(o, &g.Kept)
			count := 0
			for r := range runs {
				at := base + placeOf(r, &rest)
				for range run.Size {
					if x[at] == v {
						count++
					}
					at += run.Step
				}
			}
			share := dy[o] / float32(count)
			if count == 0 {
				share = v // NaN, which goes to all
			}
			for r := range runs {
				at := base + placeOf(r, &rest)
				for range run.Size {
					if dx[at] = 0; x[at] == v || count == 0 {
						dx[at] = share
					}
					at += run.Step
				}
			}
		}
	})
}

// placeOf returns where position i of a loop over axes lies.
func placeOf(i int, axes *[spec.MaxRank]spec.StepAxis) (at int) {
	for _, axis := range axes {
		at += i % axis.Size * axis.Step
		i /= axis.Size
	}
	return at
}
