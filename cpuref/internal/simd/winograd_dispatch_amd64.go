//go:build !purego

package simd

func winogradLanes() int {
	if Active() == AVX512 {
		return 16
	}
	return 8
}

func absSquares(sums, squares, x *float32, n, stride, rows int) {
	switch l := Active(); {
	case l == AVX512 && rows == 4:
		absSquares4xAVX512(sums, squares, x, n, stride)
	case l == AVX512:
		absSquares1xAVX512(sums, squares, x, n, stride)
	case l == AVX2 && rows == 4:
		absSquares4xAVX2(sums, squares, x, n, stride)
	case l == AVX2:
		absSquares1xAVX2(sums, squares, x, n, stride)
	default:
		absSquaresPortable(sums, squares, x, n, stride, rows)
	}
}

func winogradTaps(dst, src *float32, n, row, next, step int) {
	switch Active() {
	case AVX512:
		winogradTapsAVX512(dst, src, n, row, next, step)
	case AVX2:
		winogradTapsAVX2(dst, src, n, row, next, step)
	default:
		winogradTapsPortable(dst, src, n, row, next, step)
	}
}

func winogradDeficits(sums, src, limits *float32, n int) {
	switch Active() {
	case AVX512:
		winogradDeficitsAVX512(sums, src, limits, n)
	case AVX2:
		winogradDeficitsAVX2(sums, src, limits, n)
	default:
		winogradDeficitsPortable(sums, src, limits, n)
	}
}

// winogradRowsMost returns the largest panel of tiles.
func winogradRowsMost() int {
	switch Active() {
	case AVX512:
		return len(winogradProductsAVX512)
	case AVX2:
		return len(winogradProductsAVX2)
	}
	return 4
}

func winogradProduct(p *WinogradProduct, rows int) {
	switch Active() {
	case AVX512:
		winogradProductsAVX512[rows-1](p)
	case AVX2:
		winogradProductsAVX2[rows-1](p)
	default:
		p.portable(rows)
	}
}

func winogradRows(dst, src *float32, n, dstRow, srcRow int) {
	switch Active() {
	case AVX512:
		winogradRowsAVX512(dst, src, n, dstRow, srcRow)
	case AVX2:
		winogradRowsAVX2(dst, src, n, dstRow, srcRow)
	default:
		winogradRowsPortable(dst, src, n, dstRow, srcRow)
	}
}

func winogradCols(dst, src *float32, n, pos, tile, srcRow int) {
	switch Active() {
	case AVX512:
		winogradColsAVX512(dst, src, n, pos, tile, srcRow)
	case AVX2:
		winogradColsAVX2(dst, src, n, pos, tile, srcRow)
	default:
		winogradColsPortable(dst, src, n, pos, tile, srcRow)
	}
}

func winogradWeights(dst, src *float32, i, n, point int) {
	switch Active() {
	case AVX512:
		winogradWeightsAVX512[i](dst, src, n, point)
	case AVX2:
		winogradWeightsAVX2[i](dst, src, n, point)
	default:
		winogradWeightsPortable(dst, src, i, n, point)
	}
}

var (
	winogradWeightsAVX512 = [6]func(dst, src *float32, n, point int){winogradWeights0AVX512, winogradWeights1AVX512, winogradWeights2AVX512,
		winogradWeights3AVX512, winogradWeights4AVX512, winogradWeights5AVX512}
	winogradWeightsAVX2 = [6]func(dst, src *float32, n, point int){winogradWeights0AVX2, winogradWeights1AVX2, winogradWeights2AVX2,
		winogradWeights3AVX2, winogradWeights4AVX2, winogradWeights5AVX2}
)

// winogradDeficitTaps is how many taps winogradDeficits takes.
func winogradDeficitTaps() int {
	if Active() == AVX512 {
		return 9
	}
	return 3
}

func winogradOutput(w *WinogradTile) {
	switch Active() {
	case AVX512:
		winogradOutputAVX512(w)
	case AVX2:
		winogradOutputAVX2(w)
	default:
		w.portable()
	}
}

func transposeTall(dst, src *float32, dstStride, srcStride, rows, n int) {
	switch Active() {
	case AVX512:
		transposeTallAVX512(dst, src, dstStride, srcStride, rows, n)
	case AVX2:
		transposeTallAVX2(dst, src, dstStride, srcStride, rows, n)
	default:
		transposeTallPortable(dst, src, dstStride, srcStride, rows, n)
	}
}
