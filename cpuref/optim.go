package cpuref

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// SGD makes one step of stochastic gradient descent:
//
//	g = scale*grad + WeightDecay*p
//	m = Momentum*m + (1-Dampening)*g      (g at the first step)
//	p = p - LR*(g + Momentum*m if Nesterov, else m, or g without momentum)
//
// scale is nil, or one value. m and newM are nil without momentum.
func SGD[T Float](newP, newM, p, grad, m, scale []T, o spec.SGDParams) {
	s := 1.0
	if scale != nil {
		s = float64(scale[0])
	}
	for i := range p {
		g := s*float64(grad[i]) + float64(float32(o.WeightDecay))*float64(p[i])
		step := g
		if o.Momentum != 0 {
			v := g
			if !o.First {
				v = float64(float32(o.Momentum))*float64(m[i]) + float64(float32(1-o.Dampening))*g
			}
			newM[i] = T(v)
			if step = v; o.Nesterov {
				step = g + float64(float32(o.Momentum))*v
			}
		}
		newP[i] = T(float64(p[i]) - float64(float32(o.LR))*step)
	}
}

// Adam makes one step of Adam (Kingma, Ba, 2015) or, Decoupled, of AdamW
// (Loshchilov, Hutter, 2019):
//
//	g = scale*grad + WeightDecay*p        (AdamW: p = p - LR*WeightDecay*p)
//	m = Beta1*m + (1-Beta1)*g
//	v = Beta2*v + (1-Beta2)*g^2
//	p = p - StepSize * m / (sqrt(v)/RootBias + Eps)
func Adam[T Float](newP, newM, newV, p, grad, m, v, scale []T, o spec.AdamParams) {
	s := 1.0
	if scale != nil {
		s = float64(scale[0])
	}
	c := adamConstants(o)
	for i := range p {
		w, g := float64(p[i]), s*float64(grad[i])
		if o.Decoupled {
			w -= c.decay * w
		} else {
			g += c.decay * w
		}
		a := c.beta1*float64(m[i]) + c.one1*g
		b := c.beta2*float64(v[i]) + c.one2*g*g
		newM[i], newV[i] = T(a), T(b)
		newP[i] = T(w - c.step*a/(math.Sqrt(b)/c.root+c.eps))
	}
}

// The constants are rounded to float32 as the shader gets them, so that the
// oracle and the device compute the same function.
type adam struct{ beta1, one1, beta2, one2, step, root, eps, decay float64 }

func adamConstants(o spec.AdamParams) adam {
	r := func(v float64) float64 { return float64(float32(v)) }
	c := adam{r(o.Beta1), r(1 - o.Beta1), r(o.Beta2), r(1 - o.Beta2), r(o.StepSize()), r(o.RootBias()), r(o.Eps), r(o.WeightDecay)}
	if o.Decoupled {
		c.decay = r(o.LR * o.WeightDecay)
	}
	return c
}
