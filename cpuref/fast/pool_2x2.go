package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// sideBySide reports whether windows are of 2x2 and lie side by side, so that their
// rows follow each other through all planes.
func sideBySide(g *spec.Pool) bool {
	if g.Adaptive || g.Kind == spec.PoolLp || g.Kernel[0] != 1 || g.Stride[0] != 1 || g.Out[0] != g.In[0] ||
		g.In[1] != 2*g.Out[1] || g.In[2] < 2*g.Out[2] {
		return false
	}
	for i := range 3 {
		if g.PadBegin[i] != 0 || i > 0 && (g.Kernel[i] != 2 || g.Stride[i] != 2 || g.Dilation[i] != 1) {
			return false
		}
	}
	_, fixed := g.FixedCount()
	return fixed || g.Kind == spec.PoolMax
}

// pool2x2 pools where sideBySide.
func pool2x2(y, x []float32, g *spec.Pool) {
	out, width := g.Out[2], g.In[2]
	rows := len(y) / out
	scale := float32(1)
	if n, ok := g.FixedCount(); ok {
		scale = float32(1 / float64(n))
	}
	ParallelRange(rows, 1+pointwiseChunk/(2*width), 0.2*float64(len(x)), func(low, high int) {
		to, from := y[low*out:high*out], x[2*low*width:2*high*width]
		if g.Kind == spec.PoolMax {
			simd.PoolMax2x2(to, from, out, width)
		} else {
			simd.PoolSum2x2(to, from, out, width, scale)
		}
	})
}
