//go:build !amd64 || purego

package simd

import "unsafe"

func gradSums(dy, x, w *float32, n int, mean float64) GradSums {
	if w == nil {
		return gradSumsPortable(unsafe.Slice(dy, n), unsafe.Slice(x, n), nil, mean)
	}
	return gradSumsPortable(unsafe.Slice(dy, n), unsafe.Slice(x, n), unsafe.Slice(w, n), mean)
}

func nearSums(dy, x, w *float32, n int, k float32, _ int) GradSums {
	return gradSums(dy, x, w, n, float64(k)) // float64 costs no more
}

func scaleSums(dx, dy, x *float32, n int, k, a float32, _ bool) GradSums {
	return scaleSumsPortable(unsafe.Slice(dx, n), unsafe.Slice(dy, n), unsafe.Slice(x, n), k, a)
}

func gradApply(dx, dy, x *float32, n int, l *NormLine, _ bool) { gradApplyPortable(dx, dy, x, n, l) }

func gradApplyAffine(dx, dy, x, w, product, sum *float32, n int, l *NormLine, _ bool) {
	gradApplyAffinePortable(dx, dy, x, w, product, sum, n, l)
}

func widenAdd(acc *float64, x *float32, n int) { widenAddPortable(acc, x, n) }
