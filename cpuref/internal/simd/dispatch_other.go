//go:build !amd64 || purego

package simd

import "unsafe"

func tilesOf(Level) Tiles {
	if tilesName == "neon" {
		return Tiles{Rows: 6, Cols: 16, Lanes: 8, neon: true}
	}
	return Tiles{Rows: 4, Cols: 8, Lanes: 8}
}

func multiplyAdd(dst []float32, rounds int, m, c float32) {
	multiplyAddPortable(dst, rounds, m, c)
}

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

func sum(x *float32, n int) float64 {
	return sumPortable(unsafe.Slice(x, n))
}

func sumSquares(x *float32, n int, mean float64) float64 {
	return sumSquaresPortable(unsafe.Slice(x, n), mean)
}

func sumProducts(x, y *float32, n int) float64 {
	return sumProductsPortable(unsafe.Slice(x, n), unsafe.Slice(y, n))
}

func maxReduce(x *float32, n int) float32 {
	return maxPortable(unsafe.Slice(x, n))
}

func countEqual(x *float32, n int, a float32) float32 {
	return countEqualPortable(unsafe.Slice(x, n), a)
}

func spread3(dst, src *float32, n int, a float32, sumFirst bool) {
	spread3Portable(dst, src, n, a, sumFirst)
}

func gatherSum(dst, src *float32, idx *int32, w *float32, n, stride, taps int) {
	gatherSumPortable(dst, src, idx, w, n, stride, taps)
}

func expSum(dst, x *float32, n int, a float32) float64 {
	return expSumPortable(unsafe.Slice(dst, n), unsafe.Slice(x, n), a)
}

func sumExp(x *float32, n int, a float32) float64 {
	return expSumPortable(nil, unsafe.Slice(x, n), a)
}

func poolMax2x2(dst, src *float32, rows, out, width int, _ float32) {
	poolMax2x2Portable(unsafe.Slice(dst, rows*out), unsafe.Slice(src, (2*rows-1)*width+2*out), rows, out, width)
}

func poolSum2x2(dst, src *float32, rows, out, width int, scale float32) {
	poolSum2x2Portable(unsafe.Slice(dst, rows*out), unsafe.Slice(src, (2*rows-1)*width+2*out), rows, out, width, scale)
}

func windowMax(dst, src *float32, n, taps, step, stride int) {
	windowMaxPortable(unsafe.Slice(dst, n), unsafe.Slice(src, (n-1)*stride+(taps-1)*step+1), taps, step, stride)
}

func windowSum(dst, src *float32, n, taps, step, stride int) {
	windowSumPortable(unsafe.Slice(dst, n), unsafe.Slice(src, (n-1)*stride+(taps-1)*step+1), taps, step, stride)
}

func binaryKernel(Binary) binaryFunc { return nil }

func ternaryKernel(Ternary) ternaryFunc { return nil }

func prefetch(p *float32, lines int) {}

func tailRows(y, z, a, b, c *float32, stride, rows, n int, lo, hi float32) {
	tailRowsPortable(y, z, a, b, c, stride, rows, n, lo, hi)
}

func copyPlane(dst, src *float32, dstStride, srcStride, rows, n, step int) {
	copyPlanePortable(dst, src, dstStride, srcStride, rows, n, step)
}

func depthwise(d *Depthwise) { d.portable() }

func correlate(c *Correlation, taps int) { c.portable(taps) }

func correlate3x3(c *Correlation3x3) { c.portable() }

// Strip3x3 returns how many columns Strip handles: none in portable Go.
func Strip3x3() int { return 0 }

// Strip is there on amd64 only.
func (d *Depthwise) Strip() {}

// spreadPlane is not called in portable Go.
func spreadPlane(dst, src *float32, dstStride, srcStride, rows, n int) {}
