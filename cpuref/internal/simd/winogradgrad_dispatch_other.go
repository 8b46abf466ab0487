//go:build !amd64 || purego

package simd

func winogradGradRows(dst, src *float32, n, dstRow, srcRow int) {
	winogradGradRowsPortable(dst, src, n, dstRow, srcRow)
}

func winogradGradCols(dst, src *float32, n, pos, tile, srcRow int) {
	winogradGradColsPortable(dst, src, n, pos, tile, srcRow)
}

func winogradGradOutput(dst, src, _ *float32, n, pos, row int) {
	winogradGradOutputPortable(dst, src, n, pos, row)
}

func winogradOuter(o *WinogradOuter) { o.portable() }

func shortfall(sum, x *float32, n int, limit float32) { shortfallPortable(sum, x, n, limit) }

func pairInput(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	pairInputPortable(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
}

func pairGrad(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	pairGradPortable(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
}

func pairTaps(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	pairTapsPortable(dst, src, n, dstPoint, srcPoint, dstStep, srcStep)
}
