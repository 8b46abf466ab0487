package shaders

import (
	_ "embed"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed conv_flip.wgsl
var convFlipWGSL string

// flippedOf returns the convolution that a transposed one of stride 1 is, with
// its weights flipped: each output meets the taps in reverse.
func flippedOf(g spec.ConvTranspose) spec.Conv {
	c := spec.Conv{Window: g.Window, N: g.N, C: g.C, K: g.K, Groups: g.Groups, Bias: g.Bias, Act: g.Act, Direct: true}
	for i := range c.PadBegin {
		c.PadBegin[i] = g.Extent(i) - 1 - g.PadBegin[i]
		c.PadEnd[i] = g.Out[i] - 1 + g.Extent(i) - c.PadBegin[i] - g.In[i]
	}
	return c
}

// flipNot says why the flipped convolution cannot serve, "" where it can.
func flipNot(g spec.ConvTranspose, dev Device) string {
	if g.Stride != [3]int{1, 1, 1} {
		return "the stride is not 1"
	}
	c := flippedOf(g)
	for i := range c.PadBegin {
		if c.PadBegin[i] < 0 || c.PadEnd[i] < 0 {
			return "the padding cuts inputs away"
		}
	}
	if not := tooManyRounds(c.Taps(), dev); not != "" {
		return not
	}
	return tooLarge(dev, weights(c))
}

// flipCost is the modelled time of the flipped convolution by its best kernel.
func flipCost(g spec.ConvTranspose, dev Device) float64 {
	c := flippedOf(g)
	_, cost := convCosts(c, dev).least()
	return cost + float64(4*weights(c))
}

// convTransposeFlipped plans a transposed convolution as a convolution of flipped
// weights, by whichever kernel serves that one best.
func convTransposeFlipped(g spec.ConvTranspose, dev Device) (Plan, error) {
	c := flippedOf(g)
	sub, err := PlanConv(c, dev, "")
	if err != nil {
		return sub, err
	}
	var p Plan
	w := p.temp(weights(c))
	p.add(Step{
		Kernel:   convFlipKernel(),
		Params:   Params{}.U32(c.K*c.CG(), c.KG(), c.CG(), c.Taps()),
		Operands: []Operand{In(1), w},
		Groups:   Grid1D(ceilDiv(c.K*c.CG(), 64), dev.MaxGroups),
	})
	p.Temps = append(p.Temps, sub.Temps...)
	for _, s := range sub.Steps {
		operands := make([]Operand, len(s.Operands))
		for i, o := range s.Operands {
			switch {
			case o == In(1):
				o = w
			case !o.IsIn() && !o.IsOut():
				o = Temp(o.Index + 1)
			}
			operands[i] = o
		}
		s.Operands = operands
		p.add(s)
	}
	return p, nil
}

func convFlipKernel() *Kernel {
	return intern("conv_flip", func() *Kernel {
		return &Kernel{Source: convFlipWGSL, ParamBytes: 4 * 4, Writes: []bool{false, true}}
	})
}
