//go:build !purego

package simd

import "unsafe"

func tilesOf(l Level) Tiles {
	switch l {
	case AVX512:
		return Tiles{Rows: 14, Cols: 32, Lanes: 16, table: &tilesAVX512}
	case AVX2:
		return Tiles{Rows: 6, Cols: 16, Lanes: 8, table: &tilesAVX2}
	}
	return Tiles{Rows: 4, Cols: 8, Lanes: 8}
}

func multiplyAdd(dst []float32, rounds int, m, c float32) {
	switch Active() {
	case AVX512:
		multiplyAddAVX512(&dst[0], rounds, m, c)
	case AVX2:
		multiplyAddAVX2(&dst[0], rounds, m, c)
	default:
		multiplyAddPortable(dst, rounds, m, c)
	}
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

var (
	tailsAVX512 = [4]tailKernel{tailAVX512, tailAddAVX512, tailNormAVX512, tailNormAddAVX512}
	tailsAVX2   = [4]tailKernel{tailAVX2, tailAddAVX2, tailNormAVX2, tailNormAddAVX2}
)

func tailRows(y, z, a, b, c *float32, stride, rows, n int, lo, hi float32) {
	switch Active() {
	case AVX512:
		tailsAVX512[tailIndex(z, a)](y, z, a, b, c, stride, rows, n, lo, hi)
	case AVX2:
		tailsAVX2[tailIndex(z, a)](y, z, a, b, c, stride, rows, n, lo, hi)
	default:
		tailRowsPortable(y, z, a, b, c, stride, rows, n, lo, hi)
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

func sum(x *float32, n int) float64 {
	switch Active() {
	case AVX512:
		return sumAVX512(x, n)
	case AVX2:
		return sumAVX2(x, n)
	}
	return sumPortable(unsafe.Slice(x, n))
}

func sumSquares(x *float32, n int, mean float64) float64 {
	switch Active() {
	case AVX512:
		return sumSquaresAVX512(x, n, mean)
	case AVX2:
		return sumSquaresAVX2(x, n, mean)
	}
	return sumSquaresPortable(unsafe.Slice(x, n), mean)
}

func sumProducts(x, y *float32, n int) float64 {
	switch Active() {
	case AVX512:
		return sumProductsAVX512(x, y, n)
	case AVX2:
		return sumProductsAVX2(x, y, n)
	}
	return sumProductsPortable(unsafe.Slice(x, n), unsafe.Slice(y, n))
}

func maxReduce(x *float32, n int) float32 {
	switch Active() {
	case AVX512:
		return maxReduceAVX512(x, n)
	case AVX2:
		return maxReduceAVX2(x, n)
	}
	return maxPortable(unsafe.Slice(x, n))
}

func countEqual(x *float32, n int, a float32) float32 {
	switch Active() {
	case AVX512:
		return countEqualsAVX512(x, n, a)
	case AVX2:
		return countEqualsAVX2(x, n, a)
	}
	return countEqualPortable(unsafe.Slice(x, n), a)
}

func spread3(dst, src *float32, n int, a float32, sumFirst bool) {
	switch l := Active(); {
	case l == AVX512 && sumFirst:
		spread3SumAVX512(dst, src, n, a)
	case l == AVX512:
		spread3OwnAVX512(dst, src, n, a)
	case l == AVX2 && sumFirst:
		spread3SumAVX2(dst, src, n, a)
	case l == AVX2:
		spread3OwnAVX2(dst, src, n, a)
	default:
		spread3Portable(dst, src, n, a, sumFirst)
	}
}

func gatherSum(dst, src *float32, idx *int32, w *float32, n, stride, taps int) {
	switch Active() {
	case AVX512:
		gatherSumAVX512(dst, src, idx, w, n, stride, taps)
	case AVX2:
		gatherSumAVX2(dst, src, idx, w, n, stride, taps)
	default:
		gatherSumPortable(dst, src, idx, w, n, stride, taps)
	}
}

func expSum(dst, x *float32, n int, a float32) float64 {
	switch Active() {
	case AVX512:
		return expSumAVX512(dst, x, n, a)
	case AVX2:
		return expSumAVX2(dst, x, n, a)
	}
	return expSumPortable(unsafe.Slice(dst, n), unsafe.Slice(x, n), a)
}

func sumExp(x *float32, n int, a float32) float64 {
	switch Active() {
	case AVX512:
		return sumExpAVX512(x, n, a)
	case AVX2:
		return sumExpAVX2(x, n, a)
	}
	return expSumPortable(nil, unsafe.Slice(x, n), a)
}

func poolMax2x2(dst, src *float32, rows, out, width int, _ float32) {
	switch Active() {
	case AVX512:
		poolMax2x2AVX512(dst, src, rows, out, width, 0)
	case AVX2:
		poolMax2x2AVX2(dst, src, rows, out, width, 0)
	default:
		poolMax2x2Portable(unsafe.Slice(dst, rows*out), unsafe.Slice(src, (2*rows-1)*width+2*out), rows, out, width)
	}
}

func poolSum2x2(dst, src *float32, rows, out, width int, scale float32) {
	switch Active() {
	case AVX512:
		poolSum2x2AVX512(dst, src, rows, out, width, scale)
	case AVX2:
		poolSum2x2AVX2(dst, src, rows, out, width, scale)
	default:
		poolSum2x2Portable(unsafe.Slice(dst, rows*out), unsafe.Slice(src, (2*rows-1)*width+2*out), rows, out, width, scale)
	}
}

func windowMax(dst, src *float32, n, taps, step, stride int) {
	switch l := Active(); {
	case l == AVX512 && stride == 1:
		windowMax1AVX512(dst, src, n, taps, step)
	case l == AVX512:
		windowMax2AVX512(dst, src, n, taps, step)
	case l == AVX2 && stride == 1:
		windowMax1AVX2(dst, src, n, taps, step)
	case l == AVX2:
		windowMax2AVX2(dst, src, n, taps, step)
	default:
		windowMaxPortable(unsafe.Slice(dst, n), unsafe.Slice(src, (n-1)*stride+(taps-1)*step+1), taps, step, stride)
	}
}

func windowSum(dst, src *float32, n, taps, step, stride int) {
	switch l := Active(); {
	case l == AVX512 && stride == 1:
		windowSum1AVX512(dst, src, n, taps, step)
	case l == AVX512:
		windowSum2AVX512(dst, src, n, taps, step)
	case l == AVX2 && stride == 1:
		windowSum1AVX2(dst, src, n, taps, step)
	case l == AVX2:
		windowSum2AVX2(dst, src, n, taps, step)
	default:
		windowSumPortable(unsafe.Slice(dst, n), unsafe.Slice(src, (n-1)*stride+(taps-1)*step+1), taps, step, stride)
	}
}

func binaryKernel(f Binary) binaryFunc {
	switch Active() {
	case AVX512:
		return binaryAVX512[f]
	case AVX2:
		return binaryAVX2[f]
	}
	return nil
}

func ternaryKernel(f Ternary) ternaryFunc {
	switch Active() {
	case AVX512:
		return ternaryAVX512[f]
	case AVX2:
		return ternaryAVX2[f]
	}
	return nil
}

func prefetch(p *float32, lines int) {
	if Active() != Portable {
		prefetchLines(p, lines)
	}
}

func copyPlane(dst, src *float32, dstStride, srcStride, rows, n, step int) {
	switch l := Active(); {
	case l == AVX512 && step == 1:
		copyPlane1AVX512(dst, src, dstStride, srcStride, rows, n)
	case l == AVX512:
		copyPlane2AVX512(dst, src, dstStride, srcStride, rows, n)
	case l == AVX2 && step == 1:
		copyPlane1AVX2(dst, src, dstStride, srcStride, rows, n)
	case l == AVX2:
		copyPlane2AVX2(dst, src, dstStride, srcStride, rows, n)
	default:
		copyPlanePortable(dst, src, dstStride, srcStride, rows, n, step)
	}
}

func depthwise(d *Depthwise) {
	switch Active() {
	case AVX512:
		depthwiseAVX512(d)
	case AVX2:
		depthwiseAVX2(d)
	default:
		d.portable()
	}
}

// correlateAVX512 and correlateAVX2 hold kernels by their taps, less one.
var (
	correlateAVX512 = [9]func(*Correlation){correlate1AVX512, correlate2AVX512, correlate3AVX512, correlate4AVX512, correlate5AVX512, correlate6AVX512, correlate7AVX512, correlate8AVX512, correlate9AVX512}
	correlateAVX2   = [9]func(*Correlation){correlate1AVX2, correlate2AVX2, correlate3AVX2, correlate4AVX2, correlate5AVX2, correlate6AVX2, correlate7AVX2, correlate8AVX2, correlate9AVX2}
)

func correlate(c *Correlation, taps int) {
	switch Active() {
	case AVX512:
		correlateAVX512[taps-1](c)
	case AVX2:
		correlateAVX2[taps-1](c)
	default:
		c.portable(taps)
	}
}

func correlate3x3(c *Correlation3x3) {
	if Active() == AVX512 {
		correlate3x3AVX512(c)
	} else {
		c.portable()
	}
}

// Strip3x3 returns how many columns Strip handles, 0 where the level has none.
func Strip3x3() int {
	if Active() == AVX512 {
		return 64
	}
	return 0
}

// Strip computes a strip of a 3x3 convolution; see Depthwise.
func (d *Depthwise) Strip() {
	switch (d.N + 15) / 16 {
	case 1:
		depthwise3x3x1AVX512(d)
	case 2:
		depthwise3x3x2AVX512(d)
	case 3:
		depthwise3x3x3AVX512(d)
	case 4:
		depthwise3x3x4AVX512(d)
	}
}

func spreadPlane(dst, src *float32, dstStride, srcStride, rows, n int) {
	if Active() == AVX512 {
		spreadPlaneAVX512(dst, src, dstStride, srcStride, rows, n)
	} else {
		spreadPlaneAVX2(dst, src, dstStride, srcStride, rows, n)
	}
}
