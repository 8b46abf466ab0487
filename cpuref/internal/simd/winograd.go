package simd

import (
	"math"
	"unsafe"
)

// The transforms of Winograd's F(4x4, 3x3) work on vectors of WinogradLanes()
// channels; pixel i of a row of such vectors is at i*lanes.

// WinogradLanes returns how many channels one vector of the transforms holds.
func WinogradLanes() int { return winogradLanes() }

// WinogradRows transforms columns of six pixels: dst row i, 0 to 5, becomes the
// sum over r of B'[i][r] times src row r, for n pixels. Rows are dstRow and
// srcRow floats apart.
func WinogradRows(dst, src *float32, n, dstRow, srcRow int) {
	winogradRows(dst, src, n, dstRow, srcRow)
}

// WinogradCols transforms, for each of n tiles four pixels apart, the six
// pixels in each of the six rows that WinogradRows made. Result 6i+j goes to
// dst + (6i+j)*pos; tiles are tile floats apart there.
func WinogradCols(dst, src *float32, n, pos, tile, srcRow int) {
	winogradCols(dst, src, n, pos, tile, srcRow)
}

// WinogradWeights transforms n 3x3 kernels, each tap two vectors of output
// channels, to the six points of row i, 0 to 5, of the 36: dst + j*point takes the
// two vectors of each kernel for the j-th of them.
func WinogradWeights(dst, src *float32, i, n, point int) { winogradWeights(dst, src, i, n, point) }

// AbsSquares adds |v| to sums[i] and v^2 to squares[i] for each of rows values
// v = x[i+r*stride], in the order of r.
func AbsSquares(sums, squares, x []float32, rows, stride int) {
	n := len(sums)
	squares = squares[:n]
	whole := n / WinogradLanes()
	for r := 0; r < rows; {
		count := 1
		if rows-r >= 4 {
			count = 4
		}
		if whole > 0 {
			absSquares(&sums[0], &squares[0], &x[r*stride], whole, stride, count)
		}
		for range count {
			for i := whole * WinogradLanes(); i < n; i++ {
				v := x[r*stride+i]
				sums[i] += abs32(v)
				squares[i] += v * v
			}
			r++
		}
	}
}

// WinogradTaps gathers the taps of n 3x3 kernels for WinogradLanes() output
// channels: tap t of kernel i for output channel l, which is
// src[l*row+i*next+t], goes to dst[(9*i+t)*2*lanes+l], or where flip is set, which
// turns the kernels round, to dst[(9*i+8-t)*2*lanes+l].
func WinogradTaps(dst, src *float32, n, row, next int, flip bool) {
	step := 2 * WinogradLanes()
	if flip {
		dst, step = at(dst, 8*step), -step
	}
	winogradTaps(dst, src, n, row, next, step)
}

// WinogradDeficits adds up, in each of WinogradLanes() lanes, how far the taps v
// of n kernels, as WinogradTaps has them, stay behind a limit, which is not negative:
//
//	sums[0] += max(limit-|v|, 0)^2, and sums[1] += v^2
//
// sums holds two vectors for each tap, with two of others behind them.
func WinogradDeficits(sums, src, limits *float32, n int) {
	L := WinogradLanes()
	for t := 0; t < 9; t += winogradDeficitTaps() {
		winogradDeficits(at(sums, t*4*L), at(src, t*2*L), limits, n)
	}
}

// WinogradTile is a row of N tiles on its way back: sums (6i+j) of two vectors
// of output channels at Src + (6i+j)*Pos, tiles two vectors apart, become four
// rows of 4N pixels, DstRow apart, of one vector each, with those of the second
// vector DstHalf behind. Bias has two vectors; results are clamped to [Lo, Hi],
// NaN stays. Flags, one vector, takes a NaN for every lane that has not been
// finite before the clamp. Tmp holds 24 vectors.
type WinogradTile struct {
	Dst, Src, Tmp, Bias, Flags *float32
	N, Pos, DstRow, DstHalf    int
	Lo, Hi                     float32
}

// Run transforms the row.
func (w *WinogradTile) Run() { winogradOutput(w) }

// TransposeTall sets dst[c*dstStride+r] = src[r*srcStride+c] for r < rows and
// c < n <= WinogradLanes(). Whole vectors of src are read.
func TransposeTall(dst, src *float32, dstStride, srcStride, rows, n int) {
	transposeTall(dst, src, dstStride, srcStride, rows, n)
}

// What follows is the portable form, 8 lanes wide.

const portableLanes = 8

type lanes8 = [portableLanes]float32

func vecAt(p *float32, off int) *lanes8 { return (*lanes8)(unsafe.Pointer(at(p, off))) }

// near and far are the points of the transforms: 0, +-near, +-far, infinity.
const near, far = math.Sqrt2 / 2, math.Sqrt2

// inputLine8 is B' of six values in each lane.
func inputLine8(d *[6]*lanes8, store func(i int, v lanes8)) {
	var o [6]lanes8
	for l := range portableLanes {
		d0, d1, d2, d3, d4, d5 := d[0][l], d[1][l], d[2][l], d[3][l], d[4][l], d[5][l]
		a, b, c, e := d4-2*d2, near*(d3-2*d1), d4-0.5*d2, far*(d3-0.5*d1)
		o[0][l], o[1][l], o[2][l] = d0+d4-2.5*d2, a+b, a-b
		o[3][l], o[4][l], o[5][l] = c+e, c-e, d1+d5-2.5*d3
	}
	for i := range o {
		store(i, o[i])
	}
}

func winogradRowsPortable(dst, src *float32, n, dstRow, srcRow int) {
	for p := range n {
		var d [6]*lanes8
		for i := range d {
			d[i] = vecAt(src, i*srcRow+p*portableLanes)
		}
		inputLine8(&d, func(i int, v lanes8) { *vecAt(dst, i*dstRow+p*portableLanes) = v })
	}
}

func winogradColsPortable(dst, src *float32, n, pos, tile, srcRow int) {
	for t := range n {
		for i := range 6 {
			var d [6]*lanes8
			for j := range d {
				d[j] = vecAt(src, i*srcRow+(4*t+j)*portableLanes)
			}
			inputLine8(&d, func(j int, v lanes8) { *vecAt(dst, (6*i+j)*pos+t*tile) = v })
		}
	}
}

// weightLine8 is G of three values, with -3 and 6 times the rows of +-near and
// +-far; outputLine makes up for it.
func weightLine8(a, b, c float32) [6]float32 {
	n, f := 2*a+c, a+2*c
	return [6]float32{a, n + far*b, n - far*b, f + far*b, f - far*b, c}
}

func winogradWeightsPortable(dst, src *float32, row, n, point int) {
	const w = 2 * portableLanes
	for k := range n {
		for l := range w {
			var u [3]float32
			for j := range u {
				tap := func(i int) float32 { return *at(src, (9*k+3*i+j)*w+l) }
				u[j] = weightLine8(tap(0), tap(1), tap(2))[row]
			}
			for j, v := range weightLine8(u[0], u[1], u[2]) {
				*at(dst, j*point+k*w+l) = v
			}
		}
	}
}

// outputLine is A' of six values.
func outputLine(m *[6]float32) [4]float32 {
	p, q, r, s := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	return [4]float32{m[0] - p/3 + r/6, far/6*s - far/6*q, r/3 - p/6, m[5] - far/12*q + far/3*s}
}

func (w *WinogradTile) portable() {
	for t := range w.N {
		for l := range 2 * portableLanes {
			var u [6][4]float32
			for j := range u {
				var m [6]float32
				for i := range m {
					m[i] = *at(w.Src, (6*i+j)*w.Pos+2*portableLanes*t+l)
				}
				u[j] = outputLine(&m)
			}
			flag := at(w.Flags, l%portableLanes)
			for i := range 4 {
				m := [6]float32{u[0][i], u[1][i], u[2][i], u[3][i], u[4][i], u[5][i]}
				for j, v := range outputLine(&m) {
					v += *at(w.Bias, l)
					*flag += 0 * v
					if v < w.Lo {
						v = w.Lo
					}
					if v > w.Hi {
						v = w.Hi
					}
					*at(w.Dst, l/portableLanes*w.DstHalf+i*w.DstRow+(4*t+j)*portableLanes+l%portableLanes) = v
				}
			}
		}
	}
}

func transposeTallPortable(dst, src *float32, dstStride, srcStride, rows, n int) {
	for c := range n {
		for r := range rows {
			*at(dst, c*dstStride+r) = *at(src, r*srcStride+c)
		}
	}
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func absSquaresPortable(sums, squares, x *float32, n, stride, rows int) {
	for r := range rows {
		for i := range n * portableLanes {
			v := *at(x, r*stride+i)
			*at(sums, i) += abs32(v)
			*at(squares, i) += v * v
		}
	}
}

func winogradTapsPortable(dst, src *float32, n, row, next, step int) {
	for i := range n {
		for t := range 9 {
			for l := range portableLanes {
				*at(dst, i*18*portableLanes+t*step+l) = *at(src, l*row+i*next+t)
			}
		}
	}
}

func winogradDeficitsPortable(sums, src, limits *float32, n int) {
	for i := range n {
		for t := range 3 {
			v := vecAt(src, (9*i+t)*2*portableLanes)
			for l := range portableLanes {
				if d := *at(limits, l) - abs32(v[l]); d > 0 {
					*at(sums, 4*t*portableLanes+l) += d * d
				}
				*at(sums, (4*t+1)*portableLanes+l) += v[l] * v[l]
			}
		}
	}
}
