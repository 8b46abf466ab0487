package simd

// The gradient of a 3x3 kernel by the adjoint of Winograd's F(2x2, 3x3), points 0,
// +-1 and infinity. Along one axis, for two gradients d of outputs and the four
// inputs x that they see,
//
//	u = (d0, d0+d1, d0-d1, d1)
//	v = (x0-x2, x1+x2, x2-x1, x3-x1)
//	m = u*v, element by element, summed over all pairs of outputs
//	w = (m0 + (m1+m2)/2, (m1-m2)/2, (m1+m2)/2 + m3)
//
// are the three taps: w[t] is the sum of d[i]*x[i+t]. The functions are those of
// winogradgrad.go and winograd.go for F(4x4, 3x3), with 4 by 4 points.

// PairRows transforms columns of four pixels of an input: dst row i becomes v[i] of
// the src rows, for n pixels. Rows are dstRow and srcRow floats apart.
func PairRows(dst, src *float32, n, dstRow, srcRow int) {
	L := WinogradLanes()
	pairInput(dst, src, n, dstRow, srcRow, L, L)
}

// PairCols transforms, for each of n tiles two pixels apart, the four pixels in each
// of the four rows that PairRows made. Result 4i+j goes to dst + (4i+j)*pos; tiles
// are tile floats apart there.
func PairCols(dst, src *float32, n, pos, tile, srcRow int) {
	L := WinogradLanes()
	for i := range 4 {
		pairInput(at(dst, 4*i*pos), at(src, i*srcRow), n, pos, L, tile, 2*L)
	}
}

// PairGradRows transforms columns of two pixels of an output's gradient: dst row i
// becomes u[i] of the two src rows.
func PairGradRows(dst, src *float32, n, dstRow, srcRow int) {
	L := WinogradLanes()
	pairGrad(dst, src, n, dstRow, srcRow, L, L)
}

// PairGradCols transforms, for each of n tiles, the two pixels in each of the four
// rows that PairGradRows made.
func PairGradCols(dst, src *float32, n, pos, tile, srcRow int) {
	L := WinogradLanes()
	for i := range 4 {
		pairGrad(at(dst, 4*i*pos), at(src, i*srcRow), n, pos, L, tile, 2*L)
	}
}

// PairGradOutput transforms sums back: the 16 vectors at src, pos floats apart,
// become nine taps, one vector each, at dst, for n of them that are row floats apart
// in src and nine vectors in dst. tmp holds 12*n vectors.
func PairGradOutput(dst, src, tmp *float32, n, pos, row int) {
	L := WinogradLanes()
	for i := range 4 {
		pairTaps(at(tmp, 3*i*L), at(src, 4*i*pos), n, L, pos, 12*L, row)
	}
	for j := range 3 {
		pairTaps(at(dst, j*L), at(tmp, j*L), n, 3*L, 3*L, 9*L, 12*L)
	}
}

// Each of the following takes n items, whose values are vectors of WinogradLanes()
// lanes: srcPoint floats apart in src and dstPoint in dst; items are srcStep and
// dstStep apart.

func pairInputPortable(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	for i := range n {
		d, s := at(dst, i*dstStep), at(src, i*srcStep)
		x0, x1, x2, x3 := *vecAt(s, 0), *vecAt(s, srcPoint), *vecAt(s, 2*srcPoint), *vecAt(s, 3*srcPoint)
		var v [4]lanes8
		for l := range portableLanes {
			v[0][l], v[1][l], v[2][l], v[3][l] = x0[l]-x2[l], x1[l]+x2[l], x2[l]-x1[l], x3[l]-x1[l]
		}
		for p := range v {
			*vecAt(d, p*dstPoint) = v[p]
		}
	}
}

func pairGradPortable(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	for i := range n {
		d, s := at(dst, i*dstStep), at(src, i*srcStep)
		d0, d1 := *vecAt(s, 0), *vecAt(s, srcPoint)
		var sum, difference lanes8
		for l := range portableLanes {
			sum[l], difference[l] = d0[l]+d1[l], d0[l]-d1[l]
		}
		for p, v := range [4]*lanes8{&d0, &sum, &difference, &d1} {
			*vecAt(d, p*dstPoint) = *v
		}
	}
}

func pairTapsPortable(dst, src *float32, n, dstPoint, srcPoint, dstStep, srcStep int) {
	for i := range n {
		d, s := at(dst, i*dstStep), at(src, i*srcStep)
		m0, m1, m2, m3 := *vecAt(s, 0), *vecAt(s, srcPoint), *vecAt(s, 2*srcPoint), *vecAt(s, 3*srcPoint)
		var w [3]lanes8
		for l := range portableLanes {
			p, q := (m1[l]+m2[l])/2, (m1[l]-m2[l])/2
			w[0][l], w[1][l], w[2][l] = m0[l]+p, q, p+m3[l]
		}
		for t := range w {
			*vecAt(d, t*dstPoint) = w[t]
		}
	}
}
