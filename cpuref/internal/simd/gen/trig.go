package main

import "math"

// trig writes sine, cosine and tangent, which stop before |x| > 2^17: up to
// there the quarter turns can be taken off in three steps.
func trig(g *gen) {
	c1 := float64(float32(math.Pi / 2))
	c2 := float64(float32(math.Pi/2 - c1))
	// The constant is exact until here: from float64 values of Pi/2 the third
	// part would lack 6e-17, which counts where x is nearly a multiple of Pi/2.
	const lacking = 6.123233995736766035868820147292e-17 // Pi/2 less its float64
	c3 := math.Pi/2 - c1 - c2 + lacking
	stop := func(x V) mask { return g.cmp(g.abs(x), gt, k(0x1p17)) }
	const magic = 0x1.8p23
	// parts returns the quadrant, sin(r) and cos(r).
	parts := func(x V) (q, sin, cos V) {
		t := g.fma(x, g.copy(k(2/math.Pi)), k(magic))
		n := g.sub(t, k(magic))
		r := g.fnma(n, k(c1), x)
		r = g.fnma(n, k(c2), r)
		r = g.fnma(n, k(c3), r)
		s := g.mul(r, r)
		sin = g.fma(g.mul(r, s), g.poly(s, sinP...), r)
		cos = g.fma(g.mul(s, s), g.poly(s, cosP...), g.fma(s, g.copy(k(-0.5)), k(1)))
		return t, sin, cos
	}
	// odd is set where the lowest bit of the quadrant is.
	odd := func(q V) mask {
		bit := g.shl(q, 31)
		if g.wide() {
			m := g.K()
			g.VPMOVD2M(bit, m)
			return mask{k: m}
		}
		return mask{v: bit} // VBLENDVPS looks at the sign bit
	}
	turn := func(q, sin, cos V) V {
		y := g.pick(odd(q), cos, sin)
		return g.xor(y, g.and(g.shl(q, 30), signBit))
	}
	unary(g, "sin", "sets dst = sin(src), up to the first vector with |src| > 2^17.", func(func(int) V) func(V) V {
		return func(x V) V {
			q, s, c := parts(x)
			return turn(q, s, c)
		}
	}, stop)
	unary(g, "cos", "sets dst = cos(src), up to the first vector with |src| > 2^17.", func(func(int) V) func(V) V {
		return func(x V) V {
			q, s, c := parts(x)
			return turn(g.addInt(q, konst(1)), s, c)
		}
	}, stop)
	gradOf := func(name, formula string, f func(x, dy V) V) {
		partialGradNames = addName(partialGradNames, "grad"+name)
		stream(g, "grad"+name, "sets dst = "+formula+", up to the first vector with |x| > 2^17.", []string{"x", "dy"}, func(func(int) V) func([]V) V {
			return func(xs []V) V { return f(xs[0], xs[1]) }
		}, stop)
	}
	gradOf("Sin", "dy*cos(x)", func(x, dy V) V {
		q, s, c := parts(x)
		return g.mul(dy, turn(g.addInt(q, konst(1)), s, c))
	})
	gradOf("Cos", "-dy*sin(x)", func(x, dy V) V {
		q, s, c := parts(x)
		return g.mul(dy, turn(g.addInt(q, konst(2)), s, c))
	})
	gradOf("Tan", "dy/cos(x)^2", func(x, dy V) V {
		q, s, c := parts(x)
		c = g.pick(odd(q), s, c)
		return g.div(dy, g.mul(c, c))
	})
	unary(g, "tan", "sets dst = tan(src), up to the first vector with |src| > 2^17.", func(func(int) V) func(V) V {
		return func(x V) V {
			q, s, c := parts(x)
			m := odd(q)
			y := g.div(g.pick(m, c, s), g.pick(m, s, c))
			if g.wide() {
				return g.xor(y, g.keep(m, g.copy(signBit)))
			}
			return g.xor(y, g.and(m.v, signBit))
		}
	}, stop)
}
