package simd

import "unsafe"

// GradSums are sums over some elements of a gradient dy and of the input x of a
// normalization, with deviations from a given mean.
type GradSums struct {
	D       float64 // of d, which is dy, or dy*w
	Product float64 // of d*(x-mean)
	Off     float64 // of x-mean
	Squares float64 // of (x-mean)^2
}

// Add adds other sums.
func (s *GradSums) Add(o GradSums) {
	s.D += o.D
	s.Product += o.Product
	s.Off += o.Off
	s.Squares += o.Squares
}

// SumGrads returns the sums over dy and x, accumulated in float64 in an order
// that depends on the length alone. w, of the same length, may be nil.
func SumGrads(dy, x, w []float32, mean float64) GradSums {
	var s GradSums
	n := len(x)
	dy = dy[:n]
	whole := n &^ 15
	for i := 0; i < whole; i += maxCall {
		m := min(whole-i, maxCall)
		if w == nil {
			s.Add(gradSums(&dy[i], &x[i], nil, m, mean))
		} else {
			s.Add(gradSums(&dy[i], &x[i], &w[i], m, mean))
		}
	}
	if whole < n {
		rest := []float32(nil)
		if w != nil {
			rest = w[whole:n]
		}
		s.Add(gradSumsPortable(dy[whole:], x[whole:], rest, mean))
	}
	return s
}

// SumGradsNear is SumGrads with deviations from a float32, rounded. Terms, and the sums
// of up to sixteen of them, are float32: a product beyond its range makes a sum
// infinite, or loses digits. The memory ahead bytes further on is asked for meanwhile,
// which pays where it is in the second-level cache, or near: beyond that the processor
// looks ahead better by itself.
func SumGradsNear(dy, x, w []float32, k float32, ahead int) GradSums {
	var s GradSums
	n := len(x)
	dy = dy[:n]
	whole := n &^ 31
	for i := 0; i < whole; i += maxCall {
		m := min(whole-i, maxCall)
		if w == nil {
			s.Add(nearSums(&dy[i], &x[i], nil, m, k, ahead))
		} else {
			s.Add(nearSums(&dy[i], &x[i], &w[i], m, k, ahead))
		}
	}
	if whole < n {
		rest := []float32(nil)
		if w != nil {
			rest = w[whole:n]
		}
		s.Add(gradSumsPortable(dy[whole:], x[whole:], rest, float64(k)))
	}
	return s
}

// ScaleSums sets dx, which does not overlap x, to a*dy and returns D and Product as
// SumGradsNear does, of dy as it was; Off and Squares are 0. stream asks for stores
// past the cache where dx is aligned to its lines: the sums have one order wherever
// dx lies.
func ScaleSums(dx, dy, x []float32, k, a float32, stream bool) GradSums {
	var s GradSums
	n := len(dx)
	dy, x = dy[:n], x[:n]
	whole := n &^ 31
	for i := 0; i < whole; i += maxCall {
		stream = stream && uintptr(unsafe.Pointer(&dx[0]))%64 == 0
		s.Add(scaleSums(&dx[i], &dy[i], &x[i], min(whole-i, maxCall), k, a, stream))
	}
	s.Add(scaleSumsPortable(dx[whole:], dy[whole:], x[whole:], k, a))
	return s
}

func scaleSumsPortable(dx, dy, x []float32, k, a float32) (s GradSums) {
	for i := range dx {
		d := dy[i]
		s.D += float64(d)
		s.Product += float64(d) * (float64(x[i]) - float64(k))
		dx[i] = a * d
	}
	return s
}

func gradSumsPortable(dy, x, w []float32, mean float64) (s GradSums) {
	for i, v := range x {
		d := dy[i]
		if w != nil {
			d *= w[i]
		}
		z := float64(v) - mean
		s.D += float64(d)
		s.Product += float64(d) * z
		s.Off += z
		s.Squares += z * z
	}
	return s
}

// NormLine has the coefficients of a gradient of a normalization along a run:
// dx = K*d + ((x-A)*B + C), and xhat = (x-A)*Inv + Rest. The memory Ahead bytes from
// x and from dy is asked for meanwhile.
type NormLine struct {
	A, B, C, K, Inv, Rest float32
	Ahead                 int
}

// Apply sets dx = K*dy + ((x-A)*B + C). All have the length of dx. For stream see
// Unary.Apply.
func (l *NormLine) Apply(dx, dy, x []float32, stream bool) {
	n := len(dx)
	dy, x = dy[:n], x[:n]
	for i := 0; i < n; {
		m, nt := piece(dx[i:], stream)
		gradApply(&dx[i], &dy[i], &x[i], m, l, nt)
		i += m
	}
}

// ApplyAffine sets dx = K*dy*w + ((x-A)*B + C), and adds dy*xhat to product and
// dy to sum. All have the length of dx. For stream see Unary.Apply.
func (l *NormLine) ApplyAffine(dx, dy, x, w, product, sum []float32, stream bool) {
	n := len(dx)
	dy, x, w, product, sum = dy[:n], x[:n], w[:n], product[:n], sum[:n]
	for i := 0; i < n; {
		m, nt := piece(dx[i:], stream)
		gradApplyAffine(&dx[i], &dy[i], &x[i], &w[i], &product[i], &sum[i], m, l, nt)
		i += m
	}
}

func gradApplyPortable(dx, dy, x *float32, n int, l *NormLine) {
	from := unsafe.Slice(x, n)
	d := unsafe.Slice(dy, n)
	for i, v := range from {
		*at(dx, i) = l.K*d[i] + ((v-l.A)*l.B + l.C)
	}
}

func gradApplyAffinePortable(dx, dy, x, w, product, sum *float32, n int, l *NormLine) {
	from, d, weight := unsafe.Slice(x, n), unsafe.Slice(dy, n), unsafe.Slice(w, n)
	to, p, s := unsafe.Slice(dx, n), unsafe.Slice(product, n), unsafe.Slice(sum, n)
	for i, v := range from {
		z, g := v-l.A, d[i]
		to[i] = l.K*(g*weight[i]) + (z*l.B + l.C)
		p[i] += g * (z*l.Inv + l.Rest)
		s[i] += g
	}
}

// WidenAdd adds x to acc, which has its length, and clears x.
func WidenAdd(acc []float64, x []float32) {
	acc = acc[:len(x)]
	whole := len(x) &^ 15
	for i := 0; i < whole; i += maxCall {
		widenAdd(&acc[i], &x[i], min(whole-i, maxCall))
	}
	for i := whole; i < len(x); i++ {
		acc[i] += float64(x[i])
		x[i] = 0
	}
}

func widenAddPortable(acc *float64, x *float32, n int) {
	to, from := unsafe.Slice(acc, n), unsafe.Slice(x, n)
	for i, v := range from {
		to[i] += float64(v)
		from[i] = 0
	}
}
