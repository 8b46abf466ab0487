package cpuref

import "github.com/kansu-dev/kansu/spec"

// Upsample resamples the spatial axes of a tensor; see spec.Upsample. Elements
// that have no weight take no part, were they infinite.
func Upsample[T Float](y, x []T, g spec.Upsample) {
	in, out := g.InSize(), g.OutSize()
	for n := range g.N {
		plane := x[n*in:][:in]
		for o := range out {
			var at [3]int
			var beyond [3]float64
			at[0], beyond[0] = g.Position(0, o/(g.Out[1]*g.Out[2]))
			at[1], beyond[1] = g.Position(1, o/g.Out[2]%g.Out[1])
			at[2], beyond[2] = g.Position(2, o%g.Out[2])
			if g.Mode != spec.Linear {
				y[n*out+o] = plane[(at[0]*g.In[1]+at[1])*g.In[2]+at[2]]
				continue
			}
			sum := 0.0
			for corner := range 8 {
				weight, i := 1.0, 0
				for axis := range 3 {
					step := corner >> (2 - axis) & 1
					if step == 1 {
						weight *= beyond[axis]
					} else {
						weight *= 1 - beyond[axis]
					}
					i = i*g.In[axis] + at[axis] + step
				}
				if weight > 0 {
					sum += weight * float64(plane[i])
				}
			}
			y[n*out+o] = T(sum)
		}
	}
}
