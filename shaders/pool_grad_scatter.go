package shaders

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed pool_grad_scatter.wgsl
var poolGradScatterWGSL string

// poolGradScatterNot says why rows cannot go through their windows, "" where they
// can.
func poolGradScatterNot(g *spec.PoolGrad, dev Device) string {
	if !g.Adaptive && g.Dilation[2] > 1 && g.Kernel[2] > 1 {
		return "the windows have gaps along the rows"
	}
	over, taps := 1, g.Kernel[2] // windows over a row, and taps of one
	for i, size := range g.In[:2] {
		if g.Adaptive {
			over *= ceilDiv(g.Out[i], size) + 1
		} else {
			over *= min(g.Out[i], ceilDiv(g.Extent(i), g.Stride[i])+1)
		}
	}
	if g.Adaptive {
		taps = ceilDiv(g.In[2], g.Out[2]) + 1
	}
	if g.Kind == spec.PoolMax {
		taps = 0
	}
	return tooManyRounds(g.In[2]+over*(2+g.Out[2]*(1+taps)), dev)
}

func poolGradScatter(g spec.PoolGrad, dev Device) Plan {
	p := poolGradGather(g, dev)
	rows := g.Planes() * g.In[0] * g.In[1]
	step := &p.Steps[0]
	step.Kernel = poolGradScatterKernel(g.Kind, g.Adaptive)
	copy(step.Params, Params{}.U32(rows)) // the others are the same
	step.Groups = Grid1D(ceilDiv(rows, 64), dev.MaxGroups)
	return p
}

func poolGradScatterKernel(kind spec.PoolKind, adaptive bool) *Kernel {
	return intern(fmt.Sprintf("pool_grad_scatter_%v_adaptive%t", kind, adaptive), func() *Kernel {
		_, windows, _ := strings.Cut(poolGradWGSL, "// The outputs first..last")
		windows, _, _ = strings.Cut(windows, "fn part(")
		return &Kernel{
			Source: specialise(poolGradScatterWGSL, setU32("KIND", int(kind)), setBool("ADAPTIVE", adaptive),
				swap("windows", MathSource("k_log2", "k_exp2")+"\n// The outputs first..last"+windows)),
			ParamBytes: 26 * 4,
			Writes:     []bool{false, false, false, true},
		}
	})
}
