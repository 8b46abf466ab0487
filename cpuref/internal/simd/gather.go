package simd

import "unsafe"

// Gathering is a table of weighted sums along a row: element i of the result is
// the sum over the taps t of Weight[t*Stride+i] * src[From[t*Stride+i]]. A tap of
// weight 0 is none: what it names is not read, were it infinite.
type Gathering struct {
	N, Taps, Stride int // Stride is N rounded up to whole vectors
	From            []int32
	Weight          []float32
}

// NewGathering returns a table without weights.
func NewGathering(n, taps int) *Gathering {
	g := &Gathering{N: n, Taps: max(taps, 1), Stride: (n + 15) / 16 * 16}
	g.From, g.Weight = make([]int32, g.Taps*g.Stride), make([]float32, g.Taps*g.Stride)
	return g
}

// Set makes tap t of element i w times src[from].
func (g *Gathering) Set(i, t, from int, w float32) {
	g.From[t*g.Stride+i], g.Weight[t*g.Stride+i] = int32(from), w
}

// Apply computes the row dst, of N elements, which does not overlap src.
func (g *Gathering) Apply(dst, src []float32) {
	const most = 1 << 12 // vectors of gathers take their time: see maxCall
	if g.N == 0 || len(src) == 0 {
		clear(dst[:g.N])
		return
	}
	dst = dst[:g.N]
	for i := 0; i < g.N; i += most {
		gatherSum(&dst[i], &src[0], &g.From[i], &g.Weight[i], min(most, g.N-i), g.Stride, g.Taps)
	}
}

func gatherSumPortable(dst, src *float32, idx *int32, w *float32, n, stride, taps int) {
	to := unsafe.Slice(dst, n)
	clear(to)
	for t := range taps {
		from, weight := unsafe.Slice((*int32)(unsafe.Add(unsafe.Pointer(idx), 4*t*stride)), n), unsafe.Slice(at(w, t*stride), n)
		for i, f := range weight {
			if f != 0 {
				to[i] += f * *at(src, int(from[i]))
			}
		}
	}
}
