package simd

import "math"

// The gradient of a 3x3 kernel by the adjoint of Winograd's F(4x4, 3x3): with B',
// A' and G as in winograd.go, it is G^T m G, where m is the sum over all tiles of
// the products, element by element, of the 6x6 inputs' transform B' d B'^T and that
// of the 4x4 outputs' gradients, A'^T dy A'. Lanes are channels.

// WinogradGradRows transforms columns of four pixels of an output's gradient: dst
// row i, 0 to 5, becomes the sum over r of A'[r][i] times src row r, for n pixels.
// Rows are dstRow and srcRow floats apart.
func WinogradGradRows(dst, src *float32, n, dstRow, srcRow int) {
	winogradGradRows(dst, src, n, dstRow, srcRow)
}

// WinogradGradCols transforms, for each of n tiles four pixels apart, the four
// pixels in each of the six rows that WinogradGradRows made. Result 6i+j goes to
// dst + (6i+j)*pos; tiles are tile floats apart there.
func WinogradGradCols(dst, src *float32, n, pos, tile, srcRow int) {
	winogradGradCols(dst, src, n, pos, tile, srcRow)
}

// WinogradGradOutput transforms sums back: the 36 vectors at src, pos floats apart,
// become nine taps, one vector each, at dst, for n of them that are row floats apart
// in src and nine vectors in dst. tmp holds 18 vectors.
func WinogradGradOutput(dst, src, tmp *float32, n, pos, row int) {
	winogradGradOutput(dst, src, tmp, n, pos, row)
}

// WinogradOuter adds up, for each of Points points p, the products of the transforms
// of two tensors over Tiles tiles, in L = WinogradLanes() lanes:
//
//	M[p][i][j] = sum over t of A[p][t][i] * B[p][t][j], j < 2L
//
// for i < Panels*WinogradOuterRows(). Where Add is not 0, the sums are added to
// those in M. They are taken from zero, in rising order, by fused multiply-adds (in
// portable Go, by separate ones).
type WinogradOuter struct {
	M, A, B    *float32
	aPos, bPos int // bytes from a point to the next
	aTile      int // bytes from a tile to the next
	mGap       int // bytes between the rows of a point and those of the next
	Panels     int
	Tiles      int
	Add        int
	points     int // the kernel's counter
	Points     int
}

// Run computes the sums. Points are aPos, bPos and mPos floats apart in A, B and M,
// tiles aTile in A.
func (o *WinogradOuter) Run(aPos, bPos, mPos, aTile int) {
	o.aPos, o.bPos, o.aTile, o.points = 4*aPos, 4*bPos, 4*aTile, o.Points
	o.mGap = 4 * (mPos - o.Panels*WinogradOuterRows()*2*WinogradLanes())
	winogradOuter(o)
}

// WinogradOuterRows returns how many rows a panel of WinogradOuter has.
func WinogradOuterRows() int { return WinogradLanes() / 2 }

// Shortfall returns the sum of max(limit-|v|, 0)^2 over x.
func Shortfall(x []float32, limit float32) float32 {
	L := WinogradLanes()
	var lanes [16]float32
	n := len(x) / (2 * L) * 2
	if n > 0 {
		shortfall(&lanes[0], &x[0], n, limit)
	}
	var four [4]float32 // not one chain of additions
	for i := 0; i < len(lanes); i += 4 {
		four[0] += lanes[i]
		four[1] += lanes[i+1]
		four[2] += lanes[i+2]
		four[3] += lanes[i+3]
	}
	sum := four[0] + four[1] + four[2] + four[3]
	for _, v := range x[n*L:] {
		if d := limit - abs32(v); d > 0 {
			sum += d * d
		}
	}
	return sum
}

// gradLine8 is the transpose of A' of four values in each lane.
func gradLine8(d *[4]*lanes8, store func(i int, v lanes8)) {
	var o [6]lanes8
	for l := range portableLanes {
		d0, d1, d2, d3 := d[0][l], d[1][l], d[2][l], d[3][l]
		a, b, c, e := d0+0.5*d2, near*(d1+0.5*d3), d0+2*d2, far*(d1+2*d3)
		o[0][l], o[1][l], o[2][l] = d0, a+b, a-b
		o[3][l], o[4][l], o[5][l] = c+e, c-e, d3
	}
	for i := range o {
		store(i, o[i])
	}
}

func winogradGradRowsPortable(dst, src *float32, n, dstRow, srcRow int) {
	for p := range n {
		var d [4]*lanes8
		for i := range d {
			d[i] = vecAt(src, i*srcRow+p*portableLanes)
		}
		gradLine8(&d, func(i int, v lanes8) { *vecAt(dst, i*dstRow+p*portableLanes) = v })
	}
}

func winogradGradColsPortable(dst, src *float32, n, pos, tile, srcRow int) {
	for t := range n {
		for i := range 6 {
			var d [4]*lanes8
			for j := range d {
				d[j] = vecAt(src, i*srcRow+(4*t+j)*portableLanes)
			}
			gradLine8(&d, func(j int, v lanes8) { *vecAt(dst, (6*i+j)*pos+t*tile) = v })
		}
	}
}

// tapLine is the transpose of G of six sums.
func tapLine(m *[6]float32) [3]float32 {
	p, q, r, s := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	return [3]float32{m[0] - 2*p/3 + r/6, math.Sqrt2 / 6 * (s - 2*q), (r-p)/3 + m[5]}
}

func winogradGradOutputPortable(dst, src *float32, n, pos, row int) {
	for i := range n {
		for l := range portableLanes {
			var u [6][3]float32
			for j := range u {
				var m [6]float32
				for c := range m {
					m[c] = *at(src, (6*j+c)*pos+i*row+l)
				}
				u[j] = tapLine(&m)
			}
			for c := range 3 {
				m := [6]float32{u[0][c], u[1][c], u[2][c], u[3][c], u[4][c], u[5][c]}
				for r, v := range tapLine(&m) {
					*at(dst, (9*i+3*r+c)*portableLanes+l) = v
				}
			}
		}
	}
}

func (o *WinogradOuter) portable() {
	const L, rows = portableLanes, portableLanes / 2
	m := o.M
	for point := range o.Points {
		for panel := range o.Panels {
			for half := range 2 {
				var sums [rows]lanes8
				for t := range o.Tiles {
					a := at(o.A, point*o.aPos/4+t*o.aTile/4+panel*rows)
					b := vecAt(o.B, point*o.bPos/4+t*2*L+half*L)
					for i := range sums {
						f, c := *at(a, i), &sums[i]
						for l, v := range b {
							c[l] += f * v
						}
					}
				}
				for i := range sums {
					to := vecAt(m, i*2*L+half*L)
					for l, sum := range sums[i] {
						if o.Add != 0 {
							sum += to[l]
						}
						to[l] = sum
					}
				}
			}
			m = at(m, rows*2*L)
		}
		m = at(m, o.mGap/4)
	}
}

func shortfallPortable(sum, x *float32, n int, limit float32) {
	for i := range n * portableLanes {
		if d := limit - abs32(*at(x, i)); d > 0 {
			*at(sum, i%portableLanes) += d * d
		}
	}
}
