package fast

import (
	"math"
	"math/bits"
	"slices"
	"sync/atomic"
)

// Winograd's method mixes all values of a tile into each of its outputs, so its
// error grows with the largest of them, where the budget (spec.SumBudget) grows
// with S, the sum of |x*w| behind the output itself. The guard holds a bound of
// the one against a bound of the other, for every output of a tile and all
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
// The magnitude. For any limit d >= 0, as |w| >= d - max(d-|w|, 0),
//
//	S >= d*R - sqrt(Q*H[k]),  R = sum |x|,  Q = sum x^2,  H[k] = sum max(d-|w|, 0)^2
//
// over the products behind the output, again by Cauchy and Schwarz. This holds
// for every x and w: channels where x is large may be those where w is small.
// It costs a pass over x (R and Q are box sums of sums over channels) and one
// over w (H), and a comparison for each output, with the largest H and |w| of all
// channels.
type guard struct {
	p          *wino
	rows, cols axisTaps
	r, q       []float32 // of each output: R, and the root of Q
	reach      []float32 // the root of the variance of each tile
	units      []float32 // of the weights of each output channel
	strips     []guardWeights
	failed     []bool // by tile

	expected guardWeights
	doubtful atomic.Int64 // tiles that fail with the expected weights
	share    float32      // see guardWeights

	tiles, repaired int // of all groups
}

// guardWeights is what the guard knows about the weights of some output channels,
// in the units of each. An output passes where, for each channel k, with classes
// of taps along rows and columns that lie on the input,
//
//	d*R >= sqrt(H[k])*sqrt(Q) + |w[k]|*T
//
// Few channels have both a large H and a large norm, so that the right side is
// bounded by way of its largest value where T is share times the root of Q.
type guardWeights struct {
	norm float32   // the largest |w[k]|
	h    []float32 // sqrt(H), the largest: by class
	both []float32 // sqrt(H) + share*|w[k]|, the largest: by class
	bad  bool
}

// guardLimit is the limit d, in the units of an output channel's weights: a larger
// one suits normal inputs better, a smaller one sparse ones.
const guardLimit = 0.45

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

	// guardLeast and guardMost bound what is compared: none of the products may
	// overflow, and few underflow.
	guardLeast, guardMost = 0x1p-40, 0x1p40
)

// winogradError is the error of sums over c channels, in unit roundoffs of the
// norms' product. A block of n additions, each to a partial sum that grows up to
// that product, has a standard deviation of 0.23*sqrt(n) (0.4 for each rounding);
// the blocks of winogradBlock together have no more than one of 20 additions up to
// 64 channels, and then of 32, or of c/64 where that is more. Four of these
// deviations are allowed for. The transforms' roundings are worth about 1 in random
// data, but where a pattern repeats in all channels they do so too and add up: 6
// are allowed for up to 64 channels and 8 beyond, where sums have more blocks, and
// more with few channels, after a search for the worst such patterns
// (TestWinogradAdversary). Random data show 0.8 to 1.8 in all.
func winogradError(c int) float64 {
	n, transforms := min(c, 20), 6.0
	if c > 64 {
		n, transforms = max(32, c/64), 8
	}
	if c < winogradMin { // only in tests
		transforms += 300 / float64(c*c)
	}
	return transforms + 0.92*math.Sqrt(float64(n))
}

// winogradBlock is how many channels are summed before the sum is added to those
// of the blocks before it. The errors of equal terms, which round alike, grow
// with the length of a chain of additions, so chains stay short.
func winogradBlock(c int) int {
	if c <= 512 {
		return 16
	}
	return 32
}

// axisTaps says which of the three taps along an axis lie on the input, for each
// output.
type axisTaps struct {
	class []int // of each output: an index into masks
	masks []int // the sets of taps that occur
}

func newAxisTaps(in, out, pad int) (a axisTaps) {
	for o := range out {
		mask := 0
		for r := range 3 {
			if at := o + r - pad; at >= 0 && at < in {
				mask |= 1 << r
			}
		}
		id := slices.Index(a.masks, mask)
		if id < 0 {
			id = len(a.masks)
			a.masks = append(a.masks, mask)
		}
		a.class = append(a.class, id)
	}
	return a
}

func newGuard(p *wino) *guard {
	g := p.g
	d := &guard{p: p}
	d.rows = newAxisTaps(g.In[1], g.Out[1], g.PadBegin[1])
	d.cols = newAxisTaps(g.In[2], g.Out[2], g.PadBegin[2])
	tiles, outputs, classes := p.rows*p.tw, g.N*g.OutSize(), len(d.rows.masks)*len(d.cols.masks)
	floats := make([]float32, 2*outputs+tiles+p.kg+2*(p.strips+1)*classes)
	take := func(n int) []float32 {
		s := floats[:n:n]
		floats = floats[n:]
		return s
	}
	d.r, d.q, d.reach, d.units = take(outputs), take(outputs), take(tiles), take(p.kg)
	d.failed = make([]bool, tiles)
	d.strips = make([]guardWeights, p.strips)
	for i := range d.strips {
		d.strips[i].h, d.strips[i].both = take(classes), take(classes)
	}
	// Weights as of a normal distribution: with them, most tiles should pass.
	d.expected = guardWeights{norm: 1.1 * float32(math.Sqrt(float64(p.cg))), h: take(classes), both: take(classes)}
	for i, rm := range d.rows.masks {
		for j, cm := range d.cols.masks {
			taps := bits.OnesCount(uint(rm)) * bits.OnesCount(uint(cm))
			at := i*len(d.cols.masks) + j
			d.expected.h[at] = float32(math.Sqrt(guardDeficit * float64(taps*p.cg)))
			d.expected.both[at] = d.expected.h[at] + d.expected.norm // share is 1 as yet
		}
	}
	return d
}

// guardDeficit is the mean of max(d-|z|, 0)^2 for the limit d, where z has the
// standard normal distribution.
const guardDeficit = 0.02399

// expect says whether enough tiles would pass with ordinary weights. It is asked
// before any transform, so that little time is lost on inputs that have no chance.
func (d *guard) expect() bool { return !tooMany(int(d.doubtful.Load()), len(d.reach)) }

// begin prepares for a group of channels.
func (d *guard) begin() {
	d.doubtful.Store(0)
	d.share = 1
}

// setShare sets the share to what is usual for these inputs.
func (d *guard) setShare() {
	var reach, q float64
	for _, v := range d.reach {
		reach += float64(v)
	}
	for _, v := range d.q {
		q += float64(v)
	}
	share := d.factor() * reach / float64(len(d.reach)) / (q / float64(len(d.q)))
	if share > guardLeast && share < guardMost {
		d.share = float32(share)
	}
}

// factor is what T is in units of a tile's reach.
func (d *guard) factor() float64 { return winogradError(d.p.cg) / float64(9*d.p.cg+1) }

// check finds the tiles whose outputs may break the budget, and reports whether
// they are few.
func (d *guard) check() bool {
	p := d.p
	most := d.strips[0]
	for _, s := range d.strips[1:] {
		most.norm, most.bad = max(most.norm, s.norm), most.bad || s.bad
		for i, h := range s.h {
			most.h[i], most.both[i] = max(most.h[i], h), max(most.both[i], s.both[i])
		}
	}
	if most.bad {
		return false
	}
	count := 0
	for row := range p.rows {
		count += d.checkRow(&most, row)
	}
	return !tooMany(count, len(d.reach))
}

// checkRow finds those tiles in one row of tiles, and returns how many they are.
func (d *guard) checkRow(w *guardWeights, row int) int {
	p, g := d.p, d.p.g
	failed := d.failed[row*p.tw:][:p.tw]
	clear(failed)
	n, first := row/p.th, row%p.th*4
	last := min(first+4, g.Out[1])
	factor, share, perShare := float32(d.factor()), d.share, 1/d.share
	count := 0
	for i := range failed {
		reach := d.reach[row*p.tw+i]
		outer := factor * reach
		inner := guardInner * outer
		left, right := 4*i, min(4*i+4, g.Out[2])
		ok := reach < guardMost && reach >= guardLeast || reach == 0 // with R = 0, which is exact
		for o := first; o < last; o++ {
			at := (n*g.Out[1] + o) * g.Out[2]
			class := d.rows.class[o] * len(d.cols.masks)
			h, both := w.h[class:], w.both[class:]
			r, q := d.r[at+left:at+right], d.q[at+left:at+right]
			classes := d.cols.class[left:right]
			edge := inner // of the first and the last output of the line
			if (o+1)&2 == 0 {
				edge = outer
			}
			for j, r := range r {
				t := inner
				if (j+1)&2 == 0 {
					t = edge
				}
				c := classes[j]
				a := min(q[j], t*perShare)
				ok = ok && guardLimit*r >= a*both[c]+(q[j]-a)*h[c]+(t-share*a)*w.norm && (reach > 0 || r == 0)
			}
		}
		if failed[i] = !ok; !ok {
			count++
		}
	}
	return count
}

// repair computes the tiles that failed directly.
func (d *guard) repair() {
	var list []int
	for i, failed := range d.failed {
		if failed {
			list = append(list, i)
		}
	}
	if len(list) > 0 {
		d.direct(list)
	}
	d.tiles += len(d.failed)
	d.repaired += len(list)
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
			var taps [9]struct{ at, from, to int } // what of the four outputs' inputs is no padding
			for t := range taps {
				h, w := h0+t/3-g.PadBegin[1], w0+t%3-g.PadBegin[2]
				if h >= 0 && h < g.In[1] {
					taps[t].at, taps[t].from, taps[t].to = h*g.In[2]+w, max(0, -w), min(4, g.In[2]-w)
				}
			}
			c, tap := k0/9, k0%9
			x := p.x[(n*g.C+p.gi*p.cg+c)*plane:]
			for i := range kn {
				line, t := (*[4]float32)(dst[i*width+j:]), &taps[tap]
				if t.to-t.from == 4 {
					*line = [4]float32(x[t.at:])
				} else {
					*line = [4]float32{}
					for e := t.from; e < t.to; e++ {
						line[e] = x[t.at+e]
					}
				}
				if tap++; tap == 9 {
					tap = 0
					x = x[min(plane, len(x)):]
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
	at := make([]int, cols) // where each output goes, and -1 for those that there are none of
	for j := range at {
		n, h, w := origin(j)
		if at[j] = -1; h < g.Out[1] && w < g.Out[2] {
			at[j] = (n*g.K+p.gi*p.kg)*g.OutSize() + h*g.Out[2] + w
		}
	}
	ParallelRange(p.kg, 16, float64(len(out)), func(low, high int) {
		for k := low; k < high; k++ {
			y := p.y[k*g.OutSize():]
			for j, v := range out[k*cols:][:cols] {
				if at[j] >= 0 {
					y[at[j]] = v
				}
			}
		}
	})
	for j := 0; p.tail != nil && j < cols; j += 4 {
		n, h, w := origin(j)
		if h >= g.Out[1] {
			continue
		}
		first := (n*g.K+p.gi*p.kg)*g.OutSize() + h*g.Out[2] + w
		p.tail.rows(first, g.OutSize(), p.kg, min(4, g.Out[2]-w))
	}
}
