package fast

import (
	"math"
	"slices"
)

// The guard of the weight gradient by Winograd's method bounds its error and holds
// that against the budget (spec.SumBudget), for every output channel k, input
// channel c and tap, before anything is transformed. Norms and sums run over all
// positions of all images.
//
// The error. Let |x[a]| be the norm of a channel's inputs at rows and columns that
// are a[0] and a[1] modulo 4 within the tiles, and |dy[b]| likewise. By Cauchy and
// Schwarz each of the 36 sums of products of transforms, and each of its partial
// sums, is at most the product of the norms of the transforms p, and with G, B', A'
// as in winograd.go
//
//	|v[p]|^2 ~ sum over e of (B'[p,e] |x[e]|)^2,  |u[p]|^2 ~ sum over o of (A'[o,p] |dy[o]|)^2
//
// (equal on average, where signs are independent from pixel to pixel). Taking the
// roundings as independent, a tap is in error by at most
//
//	2^-24 * winogradGradError * sqrt(sum over p of (G[p,tap] |u[p]| |v[p]|)^2)
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
	norm       []float32     // root of Q; 0 where all is zero, and -1 where it cannot be compared
	limit      []float32     // d
	short      []float32     // root of H
	sums       [][9]float32  // R by tap
	share      [][16]float32 // of Q, by the positions modulo 4
	squares    *[6][4]float32
}

// sideFloats is the size of a channel's statistics.
const sideFloats = 3 + 9 + 16

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

// gradInputs and gradOutputs2 are the squares of B' and A' by the positions modulo 4,
// and gradTaps those of G.
var (
	gradInput = [6][4]float32{{2, 0, 6.25, 0}, {1, 2, 4, 0.5}, {1, 2, 4, 0.5}, {1, 0.5, 0.25, 2}, {1, 0.5, 0.25, 2}, {0, 2, 0, 6.25}}
	gradDy    = [6][4]float32{{1, 0, 0, 0}, {1, 0.5, 0.25, 0.125}, {1, 0.5, 0.25, 0.125}, {1, 2, 4, 8}, {1, 2, 4, 8}, {0, 0, 0, 1}}
	gradTaps  = [6][3]float32{{1, 0, 0}, {4. / 9, 2. / 9, 1. / 9}, {4. / 9, 2. / 9, 1. / 9}, {1. / 36, 1. / 18, 1. / 9}, {1. / 36, 1. / 18, 1. / 9}, {0, 0, 1}}
)

// winogradGradError is the error of the sums in unit roundoffs of the norms'
// product, where blocks of some tiles are summed by themselves: what
// TestWinogradGradAdversary found with a good margin, and for the sums of blocks
// what equal ones can have, which all round alike.
func winogradGradError(tiles, blocks int) float64 {
	return 8 + 0.92*math.Sqrt(float64(tiles)) + 0.5*float64(blocks)
}

// gradLimit is the limit d in units of a channel's root mean square.
const gradLimit = 0.5

// gradDirectly is the share of the channels that may be computed directly.
const gradDirectly = 1. / 8

func newGradSide(v []float32, first, channels, all, images int, rows, cols axisRange, squares *[6][4]float32) *gradSide {
	plane := rows.size * cols.size
	s := &gradSide{rows: rows, cols: cols, v: v[first*plane:], image: all * plane, images: images, channels: channels, squares: squares}
	s.norm, s.limit, s.short = make([]float32, channels), make([]float32, channels), make([]float32, channels)
	s.sums, s.share = make([][9]float32, channels), make([][16]float32, channels)
	return s
}

// guard reports whether the method may compute the group in hand, and lists the
// channels of dy and of x that are to be computed directly.
func (p *winoGrad) guard() bool {
	g := p.g
	dy := newGradSide(p.dy, p.gi*p.kg, p.kg, g.K, g.N,
		newAxisRange(g.Out[1], 0, g.PadBegin[1], -1, g.In[1]), newAxisRange(g.Out[2], 0, g.PadBegin[2], -1, g.In[2]), &gradDy)
	x := newGradSide(p.x, p.gi*p.cg, p.cg, g.C, g.N,
		newAxisRange(g.In[1], g.PadBegin[1], -g.PadBegin[1], 1, g.Out[1]), newAxisRange(g.In[2], g.PadBegin[2], -g.PadBegin[2], 1, g.Out[2]), &gradInput)
	step := max(1, 4096/(g.N*min(g.OutSize(), g.InSize())))
	pieces := (p.kg + step - 1) / step
	more := (p.cg + step - 1) / step
	parallel(p.workers, pieces+more, func(_, i int) {
		if i < pieces {
			dy.measure(i*step, min(p.kg, (i+1)*step))
		} else {
			x.measure((i-pieces)*step, min(p.cg, (i-pieces+1)*step))
		}
	})
	terms := g.N * g.OutSize()
	factor := float32(winogradGradError(p.tiles, (p.units+p.block-1)/p.block) / float64(terms+1))
	badX, badY := gradPairs(dy, x, factor)
	sumY, sumX := gradPairs(x, dy, factor)
	share := func(k, c []int) float64 { return float64(len(k))/float64(p.kg) + float64(len(c))/float64(p.cg) }
	if share(sumY, sumX) < share(badY, badX) {
		badY, badX = sumY, sumX
	}
	p.failed = [2][]int{badY, badX}
	s := share(badY, badX)
	return s == 0 || s <= gradDirectly && g.Groups == 1
}

// gradPairs compares the bounds for all pairs of channels, where the limit is that
// of one side and the sum of magnitudes that of the other, and returns the channels
// that do not pass.
func gradPairs(limit, sum *gradSide, factor float32) (badSum, badLimit []int) {
	// The channels whose sums are large beside their norms come first, and those that
	// cannot be compared last.
	order, quality := make([]int, sum.channels), make([]float32, sum.channels)
	hopeless := 0
	for c := range order {
		order[c] = c
		switch {
		case sum.norm[c] < 0:
			quality[c] = -1
			hopeless++
		case sum.norm[c] == 0:
			quality[c] = math.MaxFloat32
		default:
			quality[c] = slices.Min(sum.sums[c][:]) / sum.norm[c] / sum.peak(c)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case quality[a] > quality[b]:
			return -1
		case quality[a] < quality[b]:
			return 1
		}
		return a - b
	})
	for _, part := range []int{0, 32, 12} {
		left := hopeless
		if part > 0 {
			left = max(left, (sum.channels+part-1)/part)
		}
		kept := order[:sum.channels-left]
		bad := gradLimits(limit, sum, kept, factor)
		if part == 0 || len(bad)*sum.channels+left*limit.channels < len(badLimit)*sum.channels+len(badSum)*limit.channels {
			badSum, badLimit = order[len(kept):], bad
		}
		if len(bad) == 0 {
			break
		}
	}
	slices.Sort(badSum)
	return badSum, badLimit
}

// gradLimits returns the channels of one side that do not pass with all kept ones
// of the other.
func gradLimits(limit, sum *gradSide, kept []int, factor float32) (bad []int) {
	var most [36]float32
	least := [9]float32{}
	for t := range least {
		least[t] = math.MaxFloat32
	}
	some := false
	for _, c := range kept {
		if sum.norm[c] == 0 {
			continue
		}
		some = true
		for t, r := range sum.sums[c] {
			least[t] = min(least[t], r/sum.norm[c])
		}
		for i, v := range sum.transformed(&sum.share[c]) {
			most[i] = max(most[i], v)
		}
	}
	// The form of the other side's shares, by tap.
	var form [9][16]float32
	for p, v := range most {
		a, b := &limit.squares[p/6], &limit.squares[p%6]
		for t := range form {
			f := gradTaps[p/6][t/3] * gradTaps[p%6][t%3] * v
			if f == 0 {
				continue
			}
			for i := range form[t] {
				form[t][i] += f * a[i/4] * b[i%4]
			}
		}
	}
	for k := range limit.channels {
		ok := limit.norm[k] >= 0
		for t := 0; t < 9 && ok && some && limit.norm[k] > 0; t++ {
			square := float32(0)
			for i, v := range limit.share[k] {
				square += v * form[t][i]
			}
			err := factor * float32(math.Sqrt(float64(square))) * limit.norm[k]
			ok = limit.limit[k]*least[t] >= limit.short[k]+err
		}
		if !ok {
			bad = append(bad, k)
		}
	}
	return bad
}

// transformed returns the squares of the norms of a channel's transforms, from the
// shares of its squares.
func (s *gradSide) transformed(share *[16]float32) (out [36]float32) {
	var half [6][4]float32
	for p := range half {
		for i, v := range share {
			half[p][i%4] += s.squares[p][i/4] * v
		}
	}
	for p := range out {
		for j, v := range half[p/6] {
			out[p] += s.squares[p%6][j] * v
		}
	}
	return out
}

// peak returns how much larger a channel's transforms may be than those of one
// whose squares are spread evenly.
func (s *gradSide) peak(c int) float32 {
	return float32(math.Sqrt(float64(16 * slices.Max(s.share[c][:]))))
}
