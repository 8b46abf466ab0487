//go:build !purego

package simd

func winogradGradRows(dst, src *float32, n, dstRow, srcRow int) {
	switch Active() {
	case AVX512:
		winogradGradRowsAVX512(dst, src, n, dstRow, srcRow)
	case AVX2:
		winogradGradRowsAVX2(dst, src, n, dstRow, srcRow)
	default:
		winogradGradRowsPortable(dst, src, n, dstRow, srcRow)
	}
}

func winogradGradCols(dst, src *float32, n, pos, tile, srcRow int) {
	switch Active() {
	case AVX512:
		winogradGradColsAVX512(dst, src, n, pos, tile, srcRow)
	case AVX2:
		winogradGradColsAVX2(dst, src, n, pos, tile, srcRow)
	default:
		winogradGradColsPortable(dst, src, n, pos, tile, srcRow)
	}
}

func winogradGradOutput(dst, src, tmp *float32, n, pos, row int) {
	switch Active() {
	case AVX512:
		winogradGradOutputAVX512(dst, src, tmp, n, pos, row)
	case AVX2:
		winogradGradOutputAVX2(dst, src, tmp, n, pos, row)
	default:
		winogradGradOutputPortable(dst, src, n, pos, row)
	}
}

func winogradOuter(o *WinogradOuter) {
	switch Active() {
	case AVX512:
		winogradOuterAVX512(o)
	case AVX2:
		winogradOuterAVX2(o)
	default:
		o.portable()
	}
}

func shortfall(sum, x *float32, n int, limit float32) {
	switch Active() {
	case AVX512:
		shortfallAVX512(sum, x, n, limit)
	case AVX2:
		shortfallAVX2(sum, x, n, limit)
	default:
		shortfallPortable(sum, x, n, limit)
	}
}

func pairInput(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	switch Active() {
	case AVX512:
		pairInputAVX512(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	case AVX2:
		pairInputAVX2(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	default:
		pairInputPortable(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	}
}

func pairGrad(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	switch Active() {
	case AVX512:
		pairGradAVX512(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	case AVX2:
		pairGradAVX2(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	default:
		pairGradPortable(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	}
}

func pairTaps(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	switch Active() {
	case AVX512:
		pairTapsAVX512(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	case AVX2:
		pairTapsAVX2(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	default:
		pairTapsPortable(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
	}
}
