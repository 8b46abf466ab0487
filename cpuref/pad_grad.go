package cpuref

import "github.com/kansu-dev/kansu/spec"

// PadGrad computes one pass of the gradient of a padding; see spec.PadGrad.
func PadGrad[T Float](dx, dy []T, g spec.PadGrad) {
	shows := make([][]int, g.In) // the positions that show each element, ascending
	for o := range g.Out {
		if i, ok := padIndex(o-g.Begin, g.In, g.Mode); ok {
			shows[i] = append(shows[i], o)
		}
	}
	for outer := range g.Outer {
		for i, from := range shows {
			for inner := range g.Inner {
				sum := 0.0
				for _, o := range from {
					sum += float64(dy[(outer*g.Out+o)*g.Inner+inner])
				}
				dx[(outer*g.In+i)*g.Inner+inner] = T(sum)
			}
		}
	}
}
