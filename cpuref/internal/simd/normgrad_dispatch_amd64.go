//go:build !purego

package simd

import "unsafe"

func gradSums(dy, x, w *float32, n int, mean float64) GradSums {
	var out [4]float64
	switch l := Active(); {
	case l == AVX512 && w == nil:
		gradSumsAVX512(&out[0], dy, x, n, mean)
	case l == AVX512:
		gradSumsOfAVX512(&out[0], dy, x, w, n, mean)
	case l == AVX2 && w == nil:
		gradSumsAVX2(&out[0], dy, x, n, mean)
	case l == AVX2:
		gradSumsOfAVX2(&out[0], dy, x, w, n, mean)
	case w == nil:
		return gradSumsPortable(unsafe.Slice(dy, n), unsafe.Slice(x, n), nil, mean)
	default:
		return gradSumsPortable(unsafe.Slice(dy, n), unsafe.Slice(x, n), unsafe.Slice(w, n), mean)
	}
	return GradSums{D: out[0], Product: out[1], Off: out[2], Squares: out[3]}
}

func nearSums(dy, x, w *float32, n int, k float32, ahead int) GradSums {
	var out [4]float64
	switch l := Active(); {
	case l == AVX512 && w == nil:
		nearSumsAVX512(&out[0], dy, x, n, k, ahead)
	case l == AVX512:
		nearSumsOfAVX512(&out[0], dy, x, w, n, k, ahead)
	case l == AVX2 && w == nil:
		nearSumsAVX2(&out[0], dy, x, n, k, ahead)
	case l == AVX2:
		nearSumsOfAVX2(&out[0], dy, x, w, n, k, ahead)
	default: // float64 costs no more
		return gradSums(dy, x, w, n, float64(k))
	}
	return GradSums{D: out[0], Product: out[1], Off: out[2], Squares: out[3]}
}

func scaleSums(dx, dy, x *float32, n int, k, a float32, nt bool) GradSums {
	var out [2]float64
	switch Active() {
	case AVX512:
		scaleSumsAVX512(&out[0], dx, dy, x, n, k, a, nt)
	case AVX2:
		scaleSumsAVX2(&out[0], dx, dy, x, n, k, a, nt)
	default:
		return scaleSumsPortable(unsafe.Slice(dx, n), unsafe.Slice(dy, n), unsafe.Slice(x, n), k, a)
	}
	return GradSums{D: out[0], Product: out[1]}
}

func gradApply(dx, dy, x *float32, n int, l *NormLine, nt bool) {
	switch Active() {
	case AVX512:
		gradApplyAVX512(dx, dy, x, n, l.A, l.B, l.C, l.K, l.Ahead, nt)
	case AVX2:
		gradApplyAVX2(dx, dy, x, n, l.A, l.B, l.C, l.K, l.Ahead, nt)
	default:
		gradApplyPortable(dx, dy, x, n, l)
	}
}

func gradApplyAffine(dx, dy, x, w, product, sum *float32, n int, l *NormLine, nt bool) {
	switch Active() {
	case AVX512:
		gradApplyOfAVX512(dx, dy, x, w, product, sum, n, l.A, l.B, l.C, l.K, l.Inv, l.Rest, l.Ahead, nt)
	case AVX2:
		gradApplyOfAVX2(dx, dy, x, w, product, sum, n, l.A, l.B, l.C, l.K, l.Inv, l.Rest, l.Ahead, nt)
	default:
		gradApplyAffinePortable(dx, dy, x, w, product, sum, n, l)
	}
}

func widenAdd(acc *float64, x *float32, n int) {
	switch Active() {
	case AVX512:
		widenAddAVX512(acc, x, n)
	case AVX2:
		widenAddAVX2(acc, x, n)
	default:
		widenAddPortable(acc, x, n)
	}
}
