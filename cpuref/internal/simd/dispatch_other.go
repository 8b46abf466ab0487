//go:build !amd64 || purego

package simd

func tilesOf(Level) Tiles { return Tiles{Rows: 4, Cols: 8, Lanes: 8} }

func copyRows(dst, src *float32, dstStride, srcStride, rows, n, w int) {
	copyRowsPortable(dst, src, dstStride, srcStride, rows, n, w)
}

func transpose(dst, src *float32, dstStride, srcStride, cols, n, w int) {
	transposePortable(dst, src, dstStride, srcStride, cols, n, w)
}

func dots(out *[16]float32, x, w *float32, ldx, ldw, k, rows, cols int) {
	dotsPortable(out, x, w, ldx, ldw, k, rows, cols)
}

func unaryKernel(Unary) unaryFunc { return nil }

func partialKernel(Partial) partialFunc { return nil }
