package cpuref

import "github.com/kansu-dev/kansu/spec"

// ConvTranspose computes a transposed convolution in 1, 2 or 3 dimensions; see
// spec.ConvTranspose for the formula and the shapes. The bias b is nil where
// g.Bias is false.
func ConvTranspose[T Float](y, x, w, b []T, g spec.ConvTranspose) {
	cg, kg := g.CG(), g.KG()
	inSize, outSize, taps := g.InSize(), g.OutSize(), g.Taps()
	sum := make([]float64, outSize)
	for n := range g.N {
		for k := range g.K {
			for o := range sum {
				sum[o] = 0
				if b != nil {
					sum[o] = float64(b[k])
				}
			}
			first := k / kg * cg // first input channel of the group
			for c := first; c < first+cg; c++ {
				xp := x[(n*g.C+c)*inSize:][:inSize]
				wp := w[(c*kg+k%kg)*taps:][:taps]
				scatter(sum, xp, wp, &g.Window)
			}
			yp := y[(n*g.K+k)*outSize:][:outSize]
			for o, s := range sum {
				yp[o] = T(Pointwise64(g.Act, s))
			}
		}
	}
}

// scatter adds to one output plane what one input plane sends through a kernel.
func scatter[T Float](sum []float64, x, w []T, g *spec.Window) {
	for i, v := range x {
		id, ih, iw := i/(g.In[1]*g.In[2]), i/g.In[2]%g.In[1], i%g.In[2]
		for t, f := range w {
			td, th, tw := t/(g.Kernel[1]*g.Kernel[2]), t/g.Kernel[2]%g.Kernel[1], t%g.Kernel[2]
			od := id*g.Stride[0] - g.PadBegin[0] + td*g.Dilation[0]
			oh := ih*g.Stride[1] - g.PadBegin[1] + th*g.Dilation[1]
			ow := iw*g.Stride[2] - g.PadBegin[2] + tw*g.Dilation[2]
			if od >= 0 && od < g.Out[0] && oh >= 0 && oh < g.Out[1] && ow >= 0 && ow < g.Out[2] {
				sum[(od*g.Out[1]+oh)*g.Out[2]+ow] += float64(v) * float64(f)
			}
		}
	}
}
