package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// fewPlanes is from how many planes on a task may be some of them.
const fewPlanes = 16

// poolFactor returns what gradients of sums are multiplied by where that is the same
// for all windows.
func poolFactor(g *spec.Pool) (factor float32, fixed bool) {
	switch n, ok := g.FixedCount(); {
	case g.Kind == spec.PoolLp && g.PlainNorm:
		return 1, true
	case ok && g.Kind == spec.PoolAvg:
		return float32(1 / float64(n)), true
	default:
		return 1, ok
	}
}

// poolGrad2x2 is poolGradRows where sideBySide: each gradient goes to two elements
// of two rows.
func poolGrad2x2(dx, dy []float32, g *spec.Pool, factor float32) {
	in, out := g.In[2], g.Out[2]
	ParallelRange(len(dy)/out, 1+pointwiseChunk/(2*in), 0.2*float64(len(dx)), func(low, high int) {
		for r := low; r < high; r++ {
			first := dx[2*r*in:][:in]
			simd.RepeatPairs(first[:2*out], dy[r*out:][:out], factor)
			clear(first[2*out:])
			copy(dx[(2*r+1)*in:][:in], first)
		}
	})
}

// threeByTwo reports whether windows are of 3x3 with a stride of 2 and at most one
// row and column of padding in front.
func threeByTwo(g *spec.Pool) bool {
	if g.Adaptive || g.Planes() < fewPlanes || g.In[0] != 1 || g.Kernel[0] != 1 || g.PadBegin[0] != 0 || g.PadEnd[0] != 0 {
		return false
	}
	for i := 1; i < 3; i++ {
		if g.Kernel[i] != 3 || g.Stride[i] != 2 || g.Dilation[i] != 1 || g.PadBegin[i] > 1 {
			return false
		}
	}
	return true
}

// poolGrad3x3 is poolGradRows where threeByTwo, plane by plane: an even row of the
// padded plane lies under two rows of windows, an odd one under one, and so along
// the row.
func poolGrad3x3(dx, dy []float32, g *spec.Pool, factor float32) {
	height, in, rows, out := g.In[1], g.In[2], g.Out[1], g.Out[2]
	pairs := (in + 1) / 2
	whole := (pairs + vectorLanes - 1) / vectorLanes * vectorLanes
	line := 2 + max(out, whole)
	planes(g.Planes(), 0.4*float64(len(dx)), func(low, high int) {
		t := getScratch(3*line + 2*whole)
		defer putScratch(t)
		clear(t[:3*line])
		before, now, sum, last := t[:line], t[line:2*line], t[2*line:3*line], t[3*line:]
		padded := 1 - g.PadBegin[2] // the zero in front is wanted without padding
		spread := func(r int, from []float32) {
			to := dx[r*in : high*height*in]
			if len(to) < 2*whole {
				to = last
			}
			simd.Spread3(&to[0], &from[1-padded], pairs, factor, padded == 1)
			if &to[0] == &last[0] {
				copy(dx[r*in:][:in], last)
			}
		}
		for p := low; p < high; p++ {
			for m := 0; 2*m-g.PadBegin[1] < height; m++ {
				// Row 2m of the padded plane lies under windows m-1 and m, row 2m+1 under m.
				r := p*height + 2*m - g.PadBegin[1]
				before, now = now, before
				if m < rows {
					copy(now[1:], dy[(p*rows+m)*out:][:out])
				} else {
					clear(now[1 : out+1])
				}
				if 2*m >= g.PadBegin[1] {
					from := now
					if m > 0 {
						simd.BinAdd.Apply(sum[1:out+1], before[1:out+1], now[1:out+1], 0, 0, 0, false)
						from = sum
					}
					spread(r, from)
				}
				if 2*m+1-g.PadBegin[1] < height {
					spread(r+1, now)
				}
			}
		}
	})
}
