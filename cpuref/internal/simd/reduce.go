package simd

import (
	"math"
	"unsafe"
)

// Sum returns the sum of x, accumulated in float64 in an order that depends on
// the length alone.
func Sum(x []float32) float64 {
	s := 0.0
	whole := len(x) &^ 31
	for i := 0; i < whole; i += maxCall {
		s += sum(&x[i], min(whole-i, maxCall))
	}
	for _, v := range x[whole:] {
		s += float64(v)
	}
	return s
}

// SumSquares returns the sum of (x-mean)^2, likewise.
func SumSquares(x []float32, mean float64) float64 {
	s := 0.0
	whole := len(x) &^ 31
	for i := 0; i < whole; i += maxCall {
		s += sumSquares(&x[i], min(whole-i, maxCall), mean)
	}
	for _, v := range x[whole:] {
		d := float64(v) - mean
		s += d * d
	}
	return s
}

// ShiftedSums returns the sums of x-k and of (x-k)^2, in one pass. The terms and the
// sums of eight of them are rounded to float32: a squared term beyond its range makes
// the second sum infinite, or loses digits. Where dst is as long as x its memory is
// asked for meanwhile.
func ShiftedSums(x []float32, k float32, dst []float32) (s, q float64) {
	other := 0
	if len(dst) == len(x) && len(x) > 0 {
		other = int(uintptr(unsafe.Pointer(&dst[0])) - uintptr(unsafe.Pointer(&x[0])))
	}
	whole := len(x) &^ 31
	for i := 0; i < whole; i += maxCall {
		a, b := shiftedSums(&x[i], min(whole-i, maxCall), k, other)
		s, q = s+a, q+b
	}
	for _, v := range x[whole:] {
		d := float64(v - k)
		s += d
		q += d * d
	}
	return s, q
}

// CenterAhead sets dst = (x-a)*b + c and asks for the memory so many bytes ahead of
// x meanwhile; dst has the length of x and may be x.
func CenterAhead(dst, x []float32, a, b, c float32, ahead int) {
	dst = dst[:len(x)]
	whole := len(x) &^ 15
	for i := 0; i < whole; i += maxCall {
		centerAhead(&dst[i], &x[i], min(whole-i, maxCall), a, b, c, ahead)
	}
	if whole < len(x) && !Center.Apply(dst[whole:], x[whole:], a, b, c, false) {
		centerPortable(dst[whole:], x[whole:], a, b, c)
	}
}

// Dot returns the sum of x*y, likewise; y has the length of x.
func Dot(x, y []float32) float64 {
	s := 0.0
	y = y[:len(x)]
	whole := len(x) &^ 31
	for i := 0; i < whole; i += maxCall {
		s += sumProducts(&x[i], &y[i], min(whole-i, maxCall))
	}
	for i, v := range x[whole:] {
		s += float64(v) * float64(y[whole+i])
	}
	return s
}

// Max returns the largest of x, -Inf for none, and NaN where there is one.
func Max(x []float32) float32 {
	m := float32(math.Inf(-1))
	whole := len(x) &^ 31
	for i := 0; i < whole; i += maxCall {
		m = max(m, maxReduce(&x[i], min(whole-i, maxCall)))
	}
	if n := len(x); n > whole && n >= 32 {
		return max(m, maxReduce(&x[n-32], 32)) // overlaps, which does not matter
	}
	for _, v := range x[whole:] {
		m = max(m, v)
	}
	return m
}

// CountEqual returns how many of x equal a.
func CountEqual(x []float32, a float32) int {
	count := 0
	whole := len(x) &^ 31
	for i := 0; i < whole; i += maxCall {
		count += int(countEqual(&x[i], min(whole-i, maxCall), a))
	}
	for _, v := range x[whole:] {
		if v == a {
			count++
		}
	}
	return count
}

// ExpSum sets dst = e^(x-a) and returns the sum of the results; dst has the
// length of x and may be x.
func ExpSum(dst, x []float32, a float32) float64 {
	s := 0.0
	dst = dst[:len(x)]
	for i := 0; i < len(x); i += maxCall {
		s += expSum(&dst[i], &x[i], min(len(x)-i, maxCall), a)
	}
	return s
}

// SumExp returns the sum of e^(x-a).
func SumExp(x []float32, a float32) float64 {
	s := 0.0
	for i := 0; i < len(x); i += maxCall {
		s += sumExp(&x[i], min(len(x)-i, maxCall), a)
	}
	return s
}

// WindowMax sets dst[i] to the largest of src[i*stride+t*step], t < taps, or
// NaN where there is one; stride is 1 or 2. It writes, and reads for, n rounded
// up to ActiveTiles().Lanes elements, and may read one float more.
func WindowMax(dst, src *float32, n, taps, step, stride int) {
	windowMax(dst, src, (n+windowLanes-1)&^(windowLanes-1), taps, step, stride)
}

// WindowSum is WindowMax with a sum.
func WindowSum(dst, src *float32, n, taps, step, stride int) {
	windowSum(dst, src, (n+windowLanes-1)&^(windowLanes-1), taps, step, stride)
}

// Prefetch asks for memory that will soon be read. It changes nothing but the
// time, and does nothing in portable Go.
func Prefetch(s []float32) {
	if len(s) > 0 {
		prefetch(&s[0], (len(s)+15)/16)
	}
}

// windowLanes is what the windows' lengths are rounded up to, at every level.
const windowLanes = 16

func sumPortable(x []float32) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(v)
	}
	return s
}

func sumSquaresPortable(x []float32, mean float64) float64 {
	s := 0.0
	for _, v := range x {
		d := float64(v) - mean
		s += d * d
	}
	return s
}

func shiftedSumsPortable(x []float32, k float32) (s, q float64) {
	for _, v := range x {
		d := float64(v - k)
		s += d
		q += d * d
	}
	return s, q
}

func centerPortable(dst, x []float32, a, b, c float32) {
	for i, v := range x {
		dst[i] = (v-a)*b + c
	}
}

func sumProductsPortable(x, y []float32) float64 {
	s := 0.0
	for i, v := range x {
		s += float64(v) * float64(y[i])
	}
	return s
}

func countEqualPortable(x []float32, a float32) (count float32) {
	for _, v := range x {
		if v == a {
			count++
		}
	}
	return count
}

func maxPortable(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		m = max(m, v)
	}
	return m
}

// expSumPortable is ExpSum; dst may be nil.
func expSumPortable(dst, x []float32, a float32) float64 {
	s := 0.0
	for i, v := range x {
		e := float32(math.Exp(float64(v) - float64(a)))
		s += float64(e)
		if dst != nil {
			dst[i] = e
		}
	}
	return s
}

func windowMaxPortable(dst, src []float32, taps, step, stride int) {
	for i := range dst {
		m := src[i*stride]
		for t := 1; t < taps; t++ {
			m = max(m, src[i*stride+t*step])
		}
		dst[i] = m
	}
}

func windowSumPortable(dst, src []float32, taps, step, stride int) {
	for i := range dst {
		m := src[i*stride]
		for t := 1; t < taps; t++ {
			m += src[i*stride+t*step]
		}
		dst[i] = m
	}
}
