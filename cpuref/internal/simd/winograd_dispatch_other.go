//go:build !amd64 || purego

package simd

func winogradLanes() int { return portableLanes }

func absSquares(sums, squares, x *float32, n, stride, rows int) {
	absSquaresPortable(sums, squares, x, n, stride, rows)
}

func winogradTaps(dst, src *float32, n, row, next, step int) {
	winogradTapsPortable(dst, src, n, row, next, step)
}

func winogradDeficits(sums, src, limits *float32, n int) {
	winogradDeficitsPortable(sums, src, limits, n)
}

func winogradRowsMost() int { return 4 }

func winogradProduct(p *WinogradProduct, rows int) { p.portable(rows) }

func winogradRows(dst, src *float32, n, dstRow, srcRow int) {
	winogradRowsPortable(dst, src, n, dstRow, srcRow)
}

func winogradCols(dst, src *float32, n, pos, tile, srcRow int) {
	winogradColsPortable(dst, src, n, pos, tile, srcRow)
}

func winogradWeights(dst, src *float32, i, n, point int) {
	winogradWeightsPortable(dst, src, i, n, point)
}

func winogradDeficitTaps() int { return 3 }

func winogradOutput(w *WinogradTile) {
	w.portable()
}

func transposeTall(dst, src *float32, dstStride, srcStride, rows, n int) {
	transposeTallPortable(dst, src, dstStride, srcStride, rows, n)
}
