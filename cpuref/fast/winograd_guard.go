package fast

import (
	"math"
	"math/bits"
)

// Winograd's method mixes all values of a tile into each of its outputs, so its
// error grows with the largest of them, where the budget (spec.SumBudget) grows
// with S, the sum of |x*w| behind the output itself. The guard holds a bound of
// the one against a bound of the other, for every tile and strip of output
// channels, and tiles that fail are computed directly.
//
// The error. Let |x[e]| be the norm over the channels of the inputs at pixel e of
// a tile, and |w[k]| that of the weights of output channel k at a tap, the largest
// of the nine. By Cauchy and Schwarz each of the 36 sums of products of
// transforms, and each of its partial sums, is at most |u||v|, the norms of the
// transforms p over the channels, and with G, B', A' as in winograd.go
//
//	|u[p]| ~ |G[p]| |w[k]|,  |v[p]|^2 ~ sum over e of (B'[p,e] |x[e]|)^2
//
// (equal on average, where signs are independent from pixel to pixel). Taking the
// roundings as independent (Higham and Mary, A New Approach to Probabilistic
// Rounding Error Analysis, 2019), output o is in error by at most
//
//	2^-24 * winogradError(C) * |w[k]| * sqrt(sum over p, e of (A'[o,p] |G[p]| B'[p,e] |x[e]|)^2)
//
// The root is a fixed quadratic form of the |x[e]|; see guardVariance.
//
// The magnitude. For every limit d >= 0, as |w| >= d - max(d-|w|, 0),
//
//	S >= d*R - sqrt(Q*H[k]),  R = sum |x|,  Q = sum x^2,  H[k] = sum max(d-|w|, 0)^2
//
// over the products behind the output, again by Cauchy and Schwarz. This holds
// for every x and w: channels where x is large may be those where w is small.
// It costs a pass over x (R and Q are box sums of sums over channels) and one
// over w (H), and some comparisons for each tile and strip.
type guard struct {
	p          *wino
	rows, cols axisRuns
	ends       [][2]runEnds // by run of rows and of columns: of all outputs, of the tile's corners
	reach      []float32    // the variance of each tile
	units      []float32    // of the weights of each output channel
	strips     []guardStrip
	failed     []bool // by strip and tile

	tiles, repaired int // of all groups
}

// runEnds are the least R and the root of the largest Q of some outputs.
type runEnds struct{ r, q float32 }

var inf32 = float32(math.Inf(1))

// guardLimit is the limit d, in the units of an output channel's weights: a larger
// one suits normal inputs better, a smaller one sparse ones.
const guardLimit = 0.35

// guardVariance is, for the first of the four outputs of a line, by pixel e:
//
//	sum over p of (A'[0,p] |G[p]| B'[p,e])^2
//
// The last output has the same in reverse. In two dimensions, the form is the
// product of two. Those of the second and third output are less than 0.312 times
// the sum of the first and the last: their variance is less than 0.623 of the
// larger, and in two dimensions that of all but the corners of a tile is less
// than 0.623 of the largest corner's.
var guardVariance = [6]float32{1, 3.3056, 12.5695, 1.5556, 2.9445, 0}

const (
	guardInner = 0.79 // the root of 0.623

	// guardLeast and guardMost bound the squares that are compared: none of the
	// products may overflow, and few underflow.
	guardLeast, guardMost = 0x1p-80, 0x1p80
)

// winogradError is the error of sums over c channels, in unit roundoffs of the
// norms' product. A block of n additions, each to a partial sum that grows up to
// that product, has a standard deviation of 0.23*sqrt(n) (0.4 for each rounding);
// the blocks of winogradBlock together have no more than one of 32 additions, or
// of c/64 where that is more. Four of these deviations are allowed for. The transforms'
// roundings are worth about 1 in random data, but where a pattern repeats in all
// channels they do so too and add up: 5 are allowed for, after a search for the
// worst such patterns (TestWinogradAdversary). Random data show 0.8 to 1.8 in all.
func winogradError(c int) float64 {
	return 5 + 0.92*math.Sqrt(float64(max(min(c, 32), c/64)))
}

// winogradBlock is how many channels are summed before the sum is added to those
// of the blocks before it. The errors of equal terms, which round alike, grow
// with the length of a chain of additions, so chains stay short.
func winogradBlock(c int) int {
	if c <= 32 {
		return 32
	}
	blocks := max(2, (c+63)/64)
	return ((c+blocks-1)/blocks + 15) / 16 * 16
}

// axisRuns cuts the outputs of each tile along an axis into runs that see the
// same taps inside of the input.
type axisRuns struct {
	first []int // of each tile, and one more
	runs  []axisRun
	masks []int // the sets of taps that occur
}

type axisRun struct {
	lo, hi int // outputs
	mask   int // index into masks
}

func newAxisRuns(in, out, pad, tiles int) (a axisRuns) {
	for t := range tiles {
		a.first = append(a.first, len(a.runs))
		last := -1
		for o := 4 * t; o < min(out, 4*t+4); o++ {
			mask := 0
			for r := range 3 {
				if at := o + r - pad; at >= 0 && at < in {
					mask |= 1 << r
				}
			}
			if mask == last {
				a.runs[len(a.runs)-1].hi = o + 1
				continue
			}
			last = mask
			id := 0
			for id < len(a.masks) && a.masks[id] != mask {
				id++
			}
			if id == len(a.masks) {
				a.masks = append(a.masks, mask)
			}
			a.runs = append(a.runs, axisRun{o, o + 1, id})
		}
	}
	a.first = append(a.first, len(a.runs))
	return a
}

// guardStrip is what the guard knows about a strip of output channels, in the
// units of its channels.
type guardStrip struct {
	norm float64   // the largest |w[k]|
	h    []float64 // sqrt(H), the largest: by class of taps
	bad  bool
}

func newGuard(p *wino) *guard {
	g := p.g
	d := &guard{p: p}
	d.rows = newAxisRuns(g.In[1], g.Out[1], g.PadBegin[1], p.th)
	d.cols = newAxisRuns(g.In[2], g.Out[2], g.PadBegin[2], p.tw)
	d.reach = make([]float32, p.rows*p.tw)
	d.ends = make([][2]runEnds, g.N*len(d.rows.runs)*len(d.cols.runs))
	d.units = make([]float32, p.kg)
	d.failed = make([]bool, p.strips*p.rows*p.tw)
	d.strips = make([]guardStrip, p.strips)
	for i := range d.strips {
		d.strips[i].h = make([]float64, len(d.rows.masks)*len(d.cols.masks))
	}
	return d
}

// run returns the index of run i of the rows of tile row.
func (d *guard) run(row, i int) int {
	p := d.p
	all := len(d.rows.runs)
	return row/p.th*all + d.rows.first[row%p.th] + i
}

// expect says whether weights as of a normal distribution would let enough tiles
// pass. It is asked before any transform, so that little time is lost on
// inputs that have no chance.
func (d *guard) expect() bool {
	p := d.p
	strip := &d.strips[0]
	*strip = guardStrip{h: strip.h, norm: 1.1 * math.Sqrt(float64(p.cg))}
	h := strip.h
	for _, rm := range d.rows.masks {
		for _, cm := range d.cols.masks {
			taps := bits.OnesCount(uint(rm)) * bits.OnesCount(uint(cm))
			h[0] = math.Sqrt(guardDeficit * float64(taps*p.cg))
			h = h[1:]
		}
	}
	return !tooMany(d.check(0), p.rows*p.tw)
}

// guardDeficit is the mean of max(d-|z|, 0)^2 for the limit d, where z has the
// standard normal distribution.
const guardDeficit = 0.01129

// check finds the tiles whose outputs in strip s may break the
// budget, and returns how many they are.
func (d *guard) check(s int) int {
	p := d.p
	strip := &d.strips[s]
	tiles := p.rows * p.tw
	failed := d.failed[s*len(d.reach):][:tiles]
	factor := strip.norm * winogradError(p.cg) / float64(9*p.cg+1)
	count := 0
	for i, reach := range d.reach[:tiles] {
		failed[i] = strip.bad || !d.passes(strip, i/p.tw, i%p.tw, float64(reach), factor)
		if failed[i] {
			count++
		}
	}
	return count
}

// passes holds the bounds against each other for one tile: the error is at most
// factor times the root of reach.
func (d *guard) passes(strip *guardStrip, row, col int, reach, factor float64) bool {
	nc, mc := len(d.cols.runs), len(d.cols.masks)
	if !(reach < guardMost) {
		return false
	}
	tolerance := [2]float64{guardInner * factor * math.Sqrt(reach), factor * math.Sqrt(reach)}
	tiny := reach < guardLeast
	t := row % d.p.th
	for i, rr := range d.rows.runs[d.rows.first[t]:d.rows.first[t+1]] {
		at := d.run(row, i) * nc
		for j := d.cols.first[col]; j < d.cols.first[col+1]; j++ {
			h := strip.h[rr.mask*mc+d.cols.runs[j].mask:]
			for k, e := range d.ends[at+j] {
				r, q := float64(e.r), float64(e.q)
				if tiny { // only a tile of zeros is exact
					if k == 0 && r != 0 || q != 0 || reach != 0 {
						return false
					}
					continue
				}
				if !(guardLimit*r-q*h[0] >= tolerance[k]) {
					return false
				}
			}
		}
	}
	return true
}

// repair computes the tiles that failed in any strip directly. It returns false
// where they are so many that all outputs had better be.
func (d *guard) repair() bool {
	p := d.p
	tiles := p.rows * p.tw
	var list []int
	for i := range tiles {
		for s := range p.strips {
			if d.failed[s*len(d.reach)+i] {
				list = append(list, i)
				break
			}
		}
	}
	if tooMany(len(list), tiles) {
		return false
	}
	if len(list) > 0 {
		d.direct(list)
	}
	d.tiles += tiles
	d.repaired += len(list)
	return true
}

// tooMany says whether Winograd's method does not pay where so many of the tiles
// are computed once more.
func tooMany(failed, tiles int) bool { return 4*failed > tiles }

// direct computes tiles as a product of the weights with a matrix
// of sixteen columns for each tile.
func (d *guard) direct(list []int) {
	p, g := d.p, d.p.g
	cols := 16 * len(list)
	out := getScratch(p.kg * cols)
	defer putScratch(out)
	plane := g.InSize()
	origin := func(j int) (n, h, w int) { // output j of the list
		row := list[j/16] / p.tw
		return row / p.th, row%p.th*4 + j/4%4, list[j/16]%p.tw*4 + j%4
	}
	// Blocks of columns start at whole tiles: their widths are multiples of 4.
	pack := func(dst []float32, k0, kn, j0, nj, width int) {
		for j := 0; j < nj; j += 4 {
			n, h0, w0 := origin(j0 + j)
			for i := range kn {
				c, tap := (k0+i)/9, (k0+i)%9
				line := dst[i*width+j:][:4]
				h, w := h0+tap/3-g.PadBegin[1], w0+tap%3-g.PadBegin[2]
				clear(line)
				if h < 0 || h >= g.In[1] {
					continue
				}
				from, to := max(0, -w), min(4, g.In[2]-w)
				if from < to {
					copy(line[from:to], p.x[(n*g.C+p.gi*p.cg+c)*plane+h*g.In[2]+w+from:])
				}
			}
		}
		for i := range kn {
			clear(dst[i*width+nj:][:width-nj])
		}
	}
	w, scratch := p.matrix()
	defer putScratch(scratch)
	GemmPack(p.kg, cols, 9*p.cg, w, 9*p.cg, false, pack, out, cols, false,
		Epilogue{RowBias: groupBias(p.b, p.gi, p.kg), Act: g.Act})
	for j := range cols {
		n, h, w := origin(j)
		if h >= g.Out[1] || w >= g.Out[2] {
			continue
		}
		y := p.y[(n*g.K+p.gi*p.kg)*g.OutSize()+h*g.Out[2]+w:]
		for k := range p.kg {
			y[k*g.OutSize()] = out[k*cols+j]
		}
	}
	for j := 0; p.tail != nil && j < cols; j += 4 {
		n, h, w := origin(j)
		if h >= g.Out[1] {
			continue
		}
		first := (n*g.K+p.gi*p.kg)*g.OutSize() + h*g.Out[2] + w
		p.tail.rows(first, g.OutSize(), p.kg, min(4, g.Out[2]-w))
	}
}
