//go:build !purego

package simd

func tilesOf(l Level) Tiles {
	switch l {
	case AVX512:
		return Tiles{Rows: 14, Cols: 32, Lanes: 16, table: &tilesAVX512}
	case AVX2:
		return Tiles{Rows: 6, Cols: 16, Lanes: 8, table: &tilesAVX2}
	}
	return Tiles{Rows: 4, Cols: 8, Lanes: 8}
}

func copyRows(dst, src *float32, dstStride, srcStride, rows, n, w int) {
	switch Active() {
	case AVX512:
		copyRowsAVX512(dst, src, dstStride, srcStride, rows, n, w)
	case AVX2:
		copyRowsAVX2(dst, src, dstStride, srcStride, rows, n, w)
	default:
		copyRowsPortable(dst, src, dstStride, srcStride, rows, n, w)
	}
}

func transpose(dst, src *float32, dstStride, srcStride, cols, n, w int) {
	switch Active() {
	case AVX512:
		transposeAVX512(dst, src, dstStride, srcStride, cols, n, w)
	case AVX2:
		transposeAVX2(dst, src, dstStride, srcStride, cols, n, w)
	default:
		transposePortable(dst, src, dstStride, srcStride, cols, n, w)
	}
}

type dotFunc = func(out, x, w *float32, ldx, ldw, k int)

// dotsAVX512 and dotsAVX2 hold kernels by [cols = 4][rows-1].
var (
	dotsAVX512 = [2][4]dotFunc{
		{dot1x1AVX512, dot2x1AVX512, dot3x1AVX512, dot4x1AVX512},
		{dot1x4AVX512, dot2x4AVX512, dot3x4AVX512, dot4x4AVX512},
	}
	dotsAVX2 = [2][4]dotFunc{
		{dot1x1AVX2, dot2x1AVX2, dot3x1AVX2},
		{dot1x4AVX2, dot2x4AVX2, dot3x4AVX2},
	}
)

func dots(out *[16]float32, x, w *float32, ldx, ldw, k, rows, cols int) {
	switch Active() {
	case AVX512:
		dotsAVX512[cols>>2][rows-1](&out[0], x, w, ldx, ldw, k)
	case AVX2:
		dotsAVX2[cols>>2][rows-1](&out[0], x, w, ldx, ldw, k)
	default:
		dotsPortable(out, x, w, ldx, ldw, k, rows, cols)
	}
}

func unaryKernel(f Unary) unaryFunc {
	switch Active() {
	case AVX512:
		return unaryAVX512[f]
	case AVX2:
		return unaryAVX2[f]
	}
	return nil
}

func partialKernel(f Partial) partialFunc {
	switch Active() {
	case AVX512:
		return partialAVX512[f]
	case AVX2:
		return partialAVX2[f]
	}
	return nil
}
