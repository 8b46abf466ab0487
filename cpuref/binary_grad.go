package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// BinaryGrad computes the gradients of f(a, b), element by element: da = dy*df/da,
// db = dy*df/db. Equal operands of Min and Max share the gradient, as in PyTorch.
func BinaryGrad[T Float](da, db, dy, a, b []T, g spec.BinaryGrad) {
	for i := range dy {
		x, y, d := float64(a[i]), float64(b[i]), float64(dy[i])
		var u, v float64
		switch g.Func {
		case spec.Add:
			u, v = 1, 1
		case spec.Sub:
			u, v = 1, -1
		case spec.Mul:
			u, v = y, x
		case spec.Div:
			u, v = 1/y, -x/(y*y)
		case spec.Min:
			u, v = lesser(x, y), lesser(y, x)
		case spec.Max:
			u, v = lesser(y, x), lesser(x, y)
		case spec.Pow:
			if y != 0 {
				u = y * math.Pow(x, y-1)
			}
			if !(x == 0 && y >= 0) {
				v = math.Pow(x, y) * math.Log(x)
			}
		case spec.PReLU:
			if u = 1; !(x > 0) {
				u, v = y, x
			}
		}
		da[i], db[i] = T(d*u), T(d*v)
	}
}

// PReLUGrad computes the gradients of PReLU where each row of x has a slope of its
// own; dslope is summed over the rows that have one in common.
func PReLUGrad[T Float](dx, dslope, dy, x, slope []T, rows spec.Along) {
	for n := range rows.N {
		sum := 0.0
		for outer := range rows.Outer {
			for i := range rows.Inner {
				at := (outer*rows.N+n)*rows.Inner + i
				var d, s [1]T
				BinaryGrad(d[:], s[:], dy[at:at+1], x[at:at+1], slope[n:n+1], spec.BinaryGrad{Func: spec.PReLU, N: 1})
				dx[at] = d[0]
				sum += float64(s[0])
			}
		}
		dslope[n] = T(sum)
	}
}

// lesser is 1 where a < b, 1/2 where they are equal, 0 where a > b.
func lesser(a, b float64) float64 {
	switch {
	case a < b:
		return 1
	case a == b:
		return 0.5
	}
	return 0
}
