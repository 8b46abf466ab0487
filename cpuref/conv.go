package cpuref

import "github.com/kansu-dev/kansu/spec"

// Conv computes a convolution in 1, 2 or 3 dimensions; see spec.Conv for the
// formula and the shapes. The bias b is nil where g.Bias is false.
func Conv[T Float](y, x, w, b []T, g spec.Conv) {
	cg, kg := g.CG(), g.KG()
	inSize, outSize, taps := g.InSize(), g.OutSize(), g.Taps()
	for n := range g.N {
		for k := range g.K {
			first := (k / kg) * cg // first input channel of the group
			yp := y[(n*g.K+k)*outSize:][:outSize]
			for o := range outSize {
				od, oh, ow := o/(g.Out[1]*g.Out[2]), o/g.Out[2]%g.Out[1], o%g.Out[2]
				sum := 0.0
				if b != nil {
					sum = float64(b[k])
				}
				for c := range cg {
					xp := x[(n*g.C+first+c)*inSize:][:inSize]
					wp := w[(k*cg+c)*taps:][:taps]
					for t := range taps {
						td, th, tw := t/(g.Kernel[1]*g.Kernel[2]), t/g.Kernel[2]%g.Kernel[1], t%g.Kernel[2]
						i, ok := source(&g.Window, g.PadMode,
							od*g.Stride[0]-g.PadBegin[0]+td*g.Dilation[0],
							oh*g.Stride[1]-g.PadBegin[1]+th*g.Dilation[1],
							ow*g.Stride[2]-g.PadBegin[2]+tw*g.Dilation[2])
						if ok {
							sum += float64(xp[i]) * float64(wp[t])
						}
					}
				}
				yp[o] = T(Pointwise64(g.Act, sum))
			}
		}
	}
}

// source returns the index within an input plane of position (d, h, w), which
// may lie in the padding; ok is false where a zero stands there.
func source(g *spec.Window, mode spec.PadMode, d, h, w int) (index int, ok bool) {
	d, okD := padIndex(d, g.In[0], mode)
	h, okH := padIndex(h, g.In[1], mode)
	w, okW := padIndex(w, g.In[2], mode)
	return (d*g.In[1]+h)*g.In[2] + w, okD && okH && okW
}

// padIndex maps a position along an axis of size n to the element that stands
// there; ok is false in zero padding.
func padIndex(i, n int, mode spec.PadMode) (index int, ok bool) {
	if i >= 0 && i < n {
		return i, true
	}
	switch mode {
	case spec.PadReflect:
		if i < 0 {
			return -i, true
		}
		return 2*(n-1) - i, true
	case spec.PadReplicate:
		return min(max(i, 0), n-1), true
	case spec.PadCircular:
		return (i + n) % n, true
	}
	return 0, false
}
