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
