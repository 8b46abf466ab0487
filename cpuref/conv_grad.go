package cpuref

import "github.com/kansu-dev/kansu/spec"

// ConvGrad computes the gradients of a convolution with respect to its input and
// its weight for a gradient dy of its output: each product dy*w or dy*x goes
// where the convolution took the other factor from. It is plain scattering, for
// the oracle; dx or dw may be nil.
func ConvGrad(dx, dw, dy, x, w []float64, g spec.Conv) {
	clear(dx)
	clear(dw)
	cg, kg := g.CG(), g.KG()
	inSize, outSize, taps := g.InSize(), g.OutSize(), g.Taps()
	for n := range g.N {
		for k := range g.K {
			first := (k / kg) * cg
			for o := range outSize {
				d := dy[(n*g.K+k)*outSize+o]
				od, oh, ow := o/(g.Out[1]*g.Out[2]), o/g.Out[2]%g.Out[1], o%g.Out[2]
				for t := range taps {
					td, th, tw := t/(g.Kernel[1]*g.Kernel[2]), t/g.Kernel[2]%g.Kernel[1], t%g.Kernel[2]
					i, ok := source(&g.Window, g.PadMode,
						od*g.Stride[0]-g.PadBegin[0]+td*g.Dilation[0],
						oh*g.Stride[1]-g.PadBegin[1]+th*g.Dilation[1],
						ow*g.Stride[2]-g.PadBegin[2]+tw*g.Dilation[2])
					if !ok {
						continue
					}
					for c := range cg {
						xi, wi := (n*g.C+first+c)*inSize+i, (k*cg+c)*taps+t
						if dx != nil {
							dx[xi] += d * w[wi]
						}
						if dw != nil {
							dw[wi] += d * x[xi]
						}
					}
				}
			}
		}
	}
}

// ConvGradWeight computes the gradient of a convolution with respect to its
// weight for a gradient dy of its output,
//
//	dw[k,c,t] = sum over n,o of dy[n,k,o] * x[n, g*C/Groups+c, o*stride - pad + t*dilation]
//
// with g the group of k, and what the padding mode says in the padding.
func ConvGradWeight[T Float](dw, dy, x []T, g spec.Conv) {
	cg, kg := g.CG(), g.KG()
	inSize, outSize, taps := g.InSize(), g.OutSize(), g.Taps()
	for i := range dw {
		k, c, t := i/(cg*taps), i/taps%cg, i%taps
		td, th, tw := t/(g.Kernel[1]*g.Kernel[2]), t/g.Kernel[2]%g.Kernel[1], t%g.Kernel[2]
		sum := 0.0
		for n := range g.N {
			xp := x[(n*g.C+k/kg*cg+c)*inSize:][:inSize]
			for o, d := range dy[(n*g.K+k)*outSize:][:outSize] {
				od, oh, ow := o/(g.Out[1]*g.Out[2]), o/g.Out[2]%g.Out[1], o%g.Out[2]
				at, ok := source(&g.Window, g.PadMode,
					od*g.Stride[0]-g.PadBegin[0]+td*g.Dilation[0],
					oh*g.Stride[1]-g.PadBegin[1]+th*g.Dilation[1],
					ow*g.Stride[2]-g.PadBegin[2]+tw*g.Dilation[2])
				if ok {
					sum += float64(d) * float64(xp[at])
				}
			}
		}
		dw[i] = T(sum)
	}
}

// ConvTransposeGrad computes the gradients of a transposed convolution with
// respect to its input and its weight: those of the convolution that it is the
// gradient of, with the parts exchanged. dx or dw may be nil.
func ConvTransposeGrad(dx, dw, dy, x, w []float64, g spec.ConvTranspose) {
	c := spec.Conv{Window: g.Window, N: g.N, C: g.K, K: g.C, Groups: g.Groups}
	c.In, c.Out = g.Out, g.In
	if dx != nil {
		Conv(dx, dy, w, nil, c)
	}
	if dw != nil {
		ConvGrad(nil, dw, x, dy, w, c)
	}
}
