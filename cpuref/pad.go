package cpuref

import "github.com/kansu-dev/kansu/spec"

// Pad adds to the sides of a tensor, or crops them; see spec.Pad.
func Pad[T Float](y, x []T, g spec.Pad) {
	for i := range y {
		rest, at, stride, inside := i, 0, 1, true
		for _, axis := range g.Axis[:g.Axes] {
			p, ok := padIndex(rest%axis.Out-axis.Begin, axis.In, g.Mode)
			rest /= axis.Out
			at += p * stride
			stride *= axis.In
			inside = inside && ok
		}
		y[i] = T(g.Value)
		if inside {
			y[i] = x[at]
		}
	}
}
