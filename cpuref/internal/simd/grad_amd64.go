//go:build !purego

package simd

func gradKernel(f Grad) binaryFunc {
	switch Active() {
	case AVX512:
		return gradAVX512[f]
	case AVX2:
		return gradAVX2[f]
	}
	return nil
}

func partialGradKernel(f PartialGrad) partialGradFunc {
	switch Active() {
	case AVX512:
		return partialGradAVX512[f]
	case AVX2:
		return partialGradAVX2[f]
	}
	return nil
}

func gradTernaryKernel(f GradTernary) ternaryFunc {
	switch Active() {
	case AVX512:
		return gradTernaryAVX512[f]
	case AVX2:
		return gradTernaryAVX2[f]
	}
	return nil
}

func repeatPairs(dst, src *float32, n int, a float32) int {
	switch Active() {
	case AVX512:
		if n &^= 15; n > 0 {
			repeatPairsAVX512(dst, src, n, a)
		}
	case AVX2:
		if n &^= 7; n > 0 {
			repeatPairsAVX2(dst, src, n, a)
		}
	default:
		return 0
	}
	return n
}
