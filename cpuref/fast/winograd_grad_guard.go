package fast

import (
	"math"
	"slices"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
)

// The guard of the weight gradient by Winograd's method bounds its error and holds
// that against the budget (spec.SumBudget), for every output channel k, input
// channel c and tap, before anything is transformed. Norms and sums run over all
// positions of all images.
//
// The error. Let |x[a]| be the norm of a channel's inputs at rows and columns that
// are a[0] and a[1] modulo 4 within the tiles, and |dy[b]| likewise. By Cauchy and
// Schwarz each of the 36 (16) sums of products of transforms, and each of its partial
// sums, is at most the product of the norms of the transforms p, and with G, B', A'
// as in package simd
//
//	|v[p]|^2 ~ sum over e of (B'[p,e] |x[e]|)^2,  |u[p]|^2 ~ sum over o of (A'[o,p] |dy[o]|)^2
//
// (equal on average, where signs are independent from pixel to pixel). Taking the
// roundings as independent, a tap is in error by at most
//
//	2^-24 * gradError * sqrt(sum over p of (G[p,tap] |u[p]| |v[p]|)^2)
//
// The magnitude. For any limit d >= 0, as |dy| >= d - max(d-|dy|, 0),
//
//	S >= d*R - sqrt(Q*H),  R = sum |x|,  Q = sum x^2,  H = sum max(d-|dy|, 0)^2
//
// where R runs over the inputs that the tap sees for some output; Q and H may run
// over more. The same holds with x and dy in each other's places: the guard tries
// both, since one of the two may be sparse, as inputs are behind a ReLU.
//
// Divided by norms, one side of the comparison knows of k and tap, the other of c
// and tap, but for the sum over p, where the norms of one side's transforms are
// replaced by the largest of all its channels that pass. So the work is that of
// measuring each channel. Channels that fail are computed directly, if they are few.

// gradSide is what the guard knows about the channels of one of the two tensors.
type gradSide struct {
	rows, cols axisRange
	v          []float32 // of the group's first channel and the first image
	image      int       // floats of an image
	images     int
	channels   int
	norm       []float32      // root of Q; 0 where all is zero, and -1 where it cannot be compared
	limit      [][2]float32   // d, a lower and a higher one
	short      [][2]float32   // root of H for each
	sums       [][9]float32   // R by tap
	share      [][16]float32  // of Q, by the positions modulo 4
	squares    *[4][4]float32 // of its transform, and of the kernel's
	kernel     *[4][3]float32
}

// sideFloats is the size of a channel's statistics.
const sideFloats = 5 + 9 + 16

// axisRange says which positions along an axis a tap sees.
type axisRange struct {
	size, shift int    // the position i stands at i+shift within the tiles
	from, to    [3]int // by tap
}

func newAxisRange(size, shift, first, step, others int) axisRange {
	a := axisRange{size: size, shift: shift}
	for r := range 3 {
		a.from[r] = min(max(0, first+step*r), size)
		a.to[r] = max(a.from[r], min(size, first+step*r+others))
	}
	return a
}

// gradError is the error of the sums in unit roundoffs of the norms' product, where
// blocks of some tiles are summed by themselves: what TestWinogradGradAdversary found
// with a good margin, for the transforms and for the sums of blocks what equal ones
// can have, which all round alike.
func (f *gradForm) gradError(tiles, blocks int) float64 {
	return f.roundings + 0.3*float64(tiles) + 0.5*float64(blocks)
}

// gradLimits are the limits d in units of a channel's root mean square: the lower
// suits sparse data of the other side better, the higher dense ones.
var gradLimits = [2]float32{0.5, 0.9}

// gradFirst is how many channels of each side are looked at before the others.
const gradFirst = 8

// gradDirectly is the share of the channels that may be computed directly.
const gradDirectly = 1. / 8

func newGradSide(v []float32, first, channels, all, images int, rows, cols axisRange, squares *[4][4]float32, kernel *[4][3]float32) *gradSide {
	plane := rows.size * cols.size
	s := &gradSide{rows: rows, cols: cols, v: v[first*plane:], image: all * plane, images: images, channels: channels, squares: squares, kernel: kernel}
	s.norm, s.limit, s.short = make([]float32, channels), make([][2]float32, channels), make([][2]float32, channels)
	s.sums, s.share = make([][9]float32, channels), make([][16]float32, channels)
	return s
}

// guard reports whether the method may compute the group in hand, and lists the
// channels of dy and of x that are to be computed directly.
func (p *winoGrad) guard() bool {
	g := p.g
	dy := newGradSide(p.dy, p.gi*p.kg, p.kg, g.K, g.N,
		newAxisRange(g.Out[1], 0, g.PadBegin[1], -1, g.In[1]), newAxisRange(g.Out[2], 0, g.PadBegin[2], -1, g.In[2]), &p.gradForm.dy, &p.kernel)
	x := newGradSide(p.x, p.gi*p.cg, p.cg, g.C, g.N,
		newAxisRange(g.In[1], g.PadBegin[1], -g.PadBegin[1], 1, g.Out[1]), newAxisRange(g.In[2], g.PadBegin[2], -g.PadBegin[2], 1, g.Out[2]), &p.gradForm.input, &p.kernel)
	terms := g.N * g.OutSize()
	factor := float32(p.gradError(p.tiles, (p.units+p.block-1)/p.block) / float64(terms+1))
	measure := func(from int, y, x *gradSide) {
		step := max(1, 4096/(g.N*min(g.OutSize(), g.InSize())))
		pieces := (y.channels - min(from, y.channels) + step - 1) / step
		more := (x.channels - min(from, x.channels) + step - 1) / step
		workers := workersFor(float64(g.N * ((y.channels-from)*g.OutSize() + (x.channels-from)*g.InSize())))
		parallel(min(p.workers, workers), pieces+more, func(_, i int) {
			s := y
			if i >= pieces {
				s, i = x, i-pieces
			}
			s.measure(from+i*step, min(s.channels, from+(i+1)*step))
		})
	}
	// Where few of the first channels pass, hardly any time is lost on the others.
	firstY, firstX := *dy, *x
	firstY.channels, firstX.channels = min(gradFirst, p.kg), min(gradFirst, p.cg)
	measure(0, &firstY, &firstX)
	hopeless := func(a, b *gradSide) bool {
		sum, limit := gradChannels(a, b, factor)
		return len(limit)+len(sum) > gradFirst/2
	}
	if forcedConv == convAuto && hopeless(&firstY, &firstX) && hopeless(&firstX, &firstY) {
		return false
	}
	measure(gradFirst, dy, x)
	badX, badY := gradChannels(dy, x, factor)
	if len(badX)+len(badY) == 0 {
		p.failed = [2][]int{}
		return true
	}
	sumY, sumX := gradChannels(x, dy, factor)
	share := func(k, c []int) float64 { return float64(len(k))/float64(p.kg) + float64(len(c))/float64(p.cg) }
	if share(sumY, sumX) < share(badY, badX) {
		badY, badX = sumY, sumX
	}
	p.failed = [2][]int{badY, badX}
	s := share(badY, badX)
	return s == 0 || s <= gradDirectly && g.Groups == 1
}

// gradChannels compares the bounds for all pairs of channels, where the limit is that
// of one side and the sum of magnitudes that of the other, and returns the channels
// that do not pass.
func gradChannels(limit, sum *gradSide, factor float32) (badSum, badLimit []int) {
	all := make([]int, 0, sum.channels)
	for c, v := range sum.norm[:sum.channels] {
		if v < 0 {
			badSum = append(badSum, c)
		} else {
			all = append(all, c)
		}
	}
	if badLimit = gradFailing(limit, sum, all, factor); len(badLimit) == 0 {
		return badSum, badLimit
	}
	// Leave out those whose sums are small beside their norms.
	quality := make([]float32, sum.channels)
	for _, c := range all {
		if quality[c] = math.MaxFloat32; sum.norm[c] > 0 {
			quality[c] = slices.Min(sum.sums[c][:]) / sum.norm[c] / sum.peak(c)
		}
	}
	slices.SortFunc(all, func(a, b int) int {
		switch {
		case quality[a] > quality[b]:
			return -1
		case quality[a] < quality[b]:
			return 1
		}
		return a - b
	})
	hopeless := badSum
	for _, part := range []int{32, 12} {
		kept := all[:max(0, len(all)-(sum.channels+part-1)/part)]
		bad := gradFailing(limit, sum, kept, factor)
		left := append(slices.Clone(hopeless), all[len(kept):]...)
		if len(bad)*sum.channels+len(left)*limit.channels < len(badLimit)*sum.channels+len(badSum)*limit.channels {
			badSum, badLimit = left, bad
		}
	}
	slices.Sort(badSum)
	return badSum, badLimit
}

// gradFailing returns the channels of one side that do not pass with all kept ones
// of the other.
func gradFailing(limit, sum *gradSide, kept []int, factor float32) (bad []int) {
	least := [9]float32{}
	for t := range least {
		least[t] = math.MaxFloat32
	}
	shares := getScratch(16 * len(kept))
	defer putScratch(shares)
	some := 0
	for _, c := range kept {
		if sum.norm[c] == 0 {
			continue
		}
		inv := 1 / sum.norm[c]
		for t, r := range sum.sums[c] {
			least[t] = min(least[t], r*inv)
		}
		copy(shares[16*some:], sum.share[c][:])
		some++
	}
	most := sum.transformed(shares[:16*some])
	// The form of the other side's shares, by tap: a product of two but for most.
	var form [9][16]float32
	for p := range 4 {
		var lines [3][4]float32
		for q, a := range limit.squares {
			v := most[4*p+q]
			for t, f := range sum.kernel[q] {
				for i := range a {
					lines[t][i] += f * v * a[i]
				}
			}
		}
		for t := range form {
			f := sum.kernel[p][t/3]
			for i, a := range limit.squares[p] {
				for j, v := range lines[t%3] {
					form[t][4*i+j] += f * a * v
				}
			}
		}
	}
	// Where all taps would pass with the largest of each, they do: so it mostly is.
	worst, fewest := form[0], slices.Min(least[:])
	for _, f := range form[1:] {
		for i, v := range f {
			worst[i] = max(worst[i], v)
		}
	}
	for k := range limit.channels {
		ok := limit.norm[k] >= 0
		if ok && some > 0 && limit.norm[k] > 0 && !limit.passes(k, &worst, fewest, factor) {
			for t := 0; t < 9 && ok; t++ {
				ok = limit.passes(k, &form[t], least[t], factor)
			}
		}
		if !ok {
			bad = append(bad, k)
		}
	}
	return bad
}

// passes compares the bounds for a channel, where least is the least sum of the other
// side.
func (s *gradSide) passes(k int, form *[16]float32, least, factor float32) bool {
	var a, b, c, e float32
	share := &s.share[k]
	for i := 0; i < 16; i += 4 {
		a += share[i] * form[i]
		b += share[i+1] * form[i+1]
		c += share[i+2] * form[i+2]
		e += share[i+3] * form[i+3]
	}
	err := factor * float32(math.Sqrt(float64(a+b+c+e))) * s.norm[k]
	d, short := &s.limit[k], &s.short[k]
	return max(d[0]*least-short[0], d[1]*least-short[1]) >= err
}

// transformed returns the largest squares of the norms of some channels' transforms,
// for the shares of their squares.
func (s *gradSide) transformed(shares []float32) (most [16]float32) {
	n := len(shares) / 16
	if n == 0 {
		return most
	}
	var both [256]float32 // the squares along both axes
	for i := range both {
		both[i] = s.squares[i>>6][i>>2&3] * s.squares[i>>4&3][i&3]
	}
	norms := getScratch(16 * n)
	defer putScratch(norms)
	Gemm(16, n, 16, both[:], 16, false, shares, 16, true, norms, n, false, Epilogue{})
	for p := range most {
		most[p] = simd.Max(norms[p*n:][:n])
	}
	return most
}

// peak returns how much larger a channel's transforms may be than those of one
// whose squares are spread evenly.
func (s *gradSide) peak(c int) float32 {
	return float32(math.Sqrt(float64(16 * slices.Max(s.share[c][:]))))
}
