package main

// simpleFuncs writes the functions that need no series.
func simpleFuncs(g *gen) {
	plain := func(name, doc string, f func(x V) V) {
		unary(g, name, doc, func(func(int) V) func(V) V { return f }, nil)
	}
	unary(g, "clamp", "sets dst = min(max(src, a), b).", func(param func(int) V) func(V) V {
		lo, hi := param(0), param(1)
		return func(x V) V { return g.min(hi, g.max(lo, x)) }
	}, nil)
	unary(g, "leaky", "sets dst = src >= 0 ? src : a*src.", func(param func(int) V) func(V) V {
		a := param(0)
		return func(x V) V { return g.pick(g.cmp(x, ge, k(0)), x, g.mul(a, x)) }
	}, nil)
	unary(g, "affine", "sets dst = a*src + b.", func(param func(int) V) func(V) V {
		a, b := param(0), param(1)
		return func(x V) V { return g.fma(a, x, b) }
	}, nil)
	unary(g, "hardSigmoid", "sets dst = min(max(a*src + b, 0), 1).", func(param func(int) V) func(V) V {
		a, b, clamp := param(0), param(1), g.clamps(0, 1)
		return func(x V) V { return clamp(g.fma(a, x, b)) }
	}, nil)
	unary(g, "hardSwish", "sets dst = src*min(max(src + 3, 0), 6)/6.", func(func(int) V) func(V) V {
		clamp, low := g.clamps(0, 6), g.atLeast(-3)
		return func(x V) V { return g.mul(low(x), g.mul(clamp(g.add(x, k(3))), k(1.0/6))) }
	}, nil)
	unary(g, "hardShrink", "sets dst = |src| <= a ? 0 : src.", func(param func(int) V) func(V) V {
		a := param(0)
		return func(x V) V { return g.pick(g.cmp(g.abs(x), le, a), k(0), x) }
	}, nil)
	unary(g, "shrink", "sets dst = src < -a ? src + b : src > a ? src - b : 0.", func(param func(int) V) func(V) V {
		a, b := param(0), param(1)
		minus := g.xor(a, signBit)
		return func(x V) V {
			y := g.pick(g.cmp(x, ord, x), k(0), x) // NaN stays
			y = g.pick(g.cmp(x, gt, a), g.sub(x, b), y)
			return g.pick(g.cmp(x, lt, minus), g.add(x, b), y)
		}
	}, nil)
	unary(g, "threshold", "sets dst = src <= a ? b : src.", func(param func(int) V) func(V) V {
		a, b := param(0), param(1)
		return func(x V) V { return g.pick(g.cmp(x, le, a), b, x) }
	}, nil)
	plain("softsign", "sets dst = src/(1 + |src|).", func(x V) V {
		a := g.abs(x)
		y := g.div(a, g.add(a, k(1)))
		y = g.pick(g.cmp(a, eq, inf), k(1), y)
		return g.or(y, g.and(x, signBit))
	})
	plain("abs", "sets dst = |src|.", func(x V) V { return g.abs(x) })
	plain("neg", "sets dst = -src.", func(x V) V { return g.xor(x, signBit) })
	plain("square", "sets dst = src*src.", func(x V) V { return g.mul(x, x) })
	plain("sqrt", "sets dst to the square root of src.", func(x V) V { return g.sqrt(x) })
	plain("rsqrt", "sets dst = 1/sqrt(src).", func(x V) V { return g.div(g.copy(k(1)), g.sqrt(x)) })
	plain("reciprocal", "sets dst = 1/src.", func(x V) V { return g.div(g.copy(k(1)), x) })
	plain("sign", "sets dst to the sign of src: -1, 0, 1 or NaN.", func(x V) V {
		y := g.or(g.and(x, signBit), k(1))
		y = g.pick(g.cmp(x, eq, k(0)), x, y)
		return g.pick(g.cmp(x, unord, x), x, y)
	})
	plain("floor", "rounds src down.", func(x V) V { return g.round(x, 1) })
	plain("ceil", "rounds src up.", func(x V) V { return g.round(x, 2) })
	plain("round", "rounds src to the nearest integer, halves to even.", func(x V) V { return g.round(x, 0) })
	unary(g, "equals", "sets dst = src = a ? b : 0.", func(param func(int) V) func(V) V {
		a, b := param(0), param(1)
		return func(x V) V { return g.keep(g.cmp(x, eq, a), b) }
	}, nil)
	unary(g, "center", "sets dst = (src - a)*b + c.", func(param func(int) V) func(V) V {
		a, b, c := param(0), param(1), param(2)
		return func(x V) V { return g.fma(g.sub(x, a), b, c) }
	}, nil)
	unary(g, "divBy", "sets dst = src/a.", func(param func(int) V) func(V) V {
		a := param(0)
		return func(x V) V { return g.div(x, a) }
	}, nil)
	unary(g, "divInto", "sets dst = a/src.", func(param func(int) V) func(V) V {
		a := param(0)
		return func(x V) V { return g.div(a, x) }
	}, nil)
	unary(g, "maximum", "sets dst = max(src, a), NaN where either is.", func(param func(int) V) func(V) V {
		a := param(0)
		return func(x V) V { return g.extreme(g.max, x, a) }
	}, nil)
	unary(g, "minimum", "sets dst = min(src, a), NaN where either is.", func(param func(int) V) func(V) V {
		a := param(0)
		return func(x V) V { return g.extreme(g.min, x, a) }
	}, nil)
}

// rsqrt returns 1/sqrt(d) for positive d that are no subnormals, to about 1 ULP
// (AVX-512).
func (g *gen) rsqrt(d V) V {
	r := g.new()
	g.VRSQRT14PS(d, r)
	e := g.fnma(g.mul(d, r), r, g.copy(k(1)))
	return g.fma(g.mul(r, k(0.5)), e, r)
}

// extreme returns the max or min of x and y, NaN where either is.
func (g *gen) extreme(of func(a V, b any) V, x, y V) V {
	m := of(x, y) // y where either is NaN
	return g.pick(g.cmp(x, unord, x), x, m)
}

// binaryNames and ternaryNames are the functions of two and three vectors.
var binaryNames, ternaryNames []string

// arrayFuncs writes the functions of two and more vectors.
func arrayFuncs(g *gen) {
	binary := func(name, doc string, f func(x, y V) V) {
		binaryNames = addName(binaryNames, name)
		stream(g, name, doc, []string{"x", "y"}, func(func(int) V) func([]V) V {
			return func(xs []V) V { return f(xs[0], xs[1]) }
		}, nil)
	}
	binary("add", "sets dst = x + y.", func(x, y V) V { return g.add(x, y) })
	binary("sub", "sets dst = x - y.", func(x, y V) V { return g.sub(x, y) })
	binary("mul", "sets dst = x*y.", func(x, y V) V { return g.mul(x, y) })
	binary("div", "sets dst = x/y.", func(x, y V) V { return g.div(x, y) })
	binary("max", "sets dst = max(x, y), NaN where either is.", func(x, y V) V { return g.extreme(g.max, x, y) })
	binary("min", "sets dst = min(x, y), NaN where either is.", func(x, y V) V { return g.extreme(g.min, x, y) })
	binary("prelu", "sets dst = x >= 0 ? x : y*x.", func(x, y V) V { return g.pick(g.cmp(x, ge, k(0)), x, g.mul(x, y)) })
	binaryNames = addName(binaryNames, "axpy")
	stream(g, "axpy", "sets dst = a*x + y.", []string{"x", "y"}, func(param func(int) V) func([]V) V {
		a := param(0)
		return func(xs []V) V { return g.fma(a, xs[0], xs[1]) }
	}, nil)
	binaryNames = addName(binaryNames, "centerMul")
	stream(g, "centerMul", "sets dst = ((x - a)*b + c)*y.", []string{"x", "y"}, func(param func(int) V) func([]V) V {
		a, b, c := param(0), param(1), param(2)
		return func(xs []V) V { return g.mul(g.fma(g.sub(xs[0], a), b, c), xs[1]) }
	}, nil)
	binaryNames = addName(binaryNames, "expSub")
	stream(g, "expSub", "sets dst = e^(x - y).", []string{"x", "y"}, func(func(int) V) func([]V) V {
		clamp := g.clamps(-104, 89)
		return func(xs []V) V {
			// What the subtraction rounds off is kept, as in expSum.
			x, y := xs[0], xs[1]
			d := g.sub(x, y)
			back := g.sub(d, x)
			lost := g.sub(g.sub(x, g.sub(d, back)), g.add(back, y))
			lost = g.keep(g.cmp(g.abs(d), lt, k(104)), lost)
			s, r := g.reduce(clamp(d), 1)
			return g.ldexp(g.expR(g.add(r, lost)), s)
		}
	}, nil)
	binaryNames = addName(binaryNames, "lrn")
	stream(g, "lrn", "sets dst = x*(a*y + b)^(-3/4).", []string{"x", "y"}, func(param func(int) V) func([]V) V {
		a, b := param(0), param(1)
		return func(xs []V) V {
			d := g.fma(a, xs[1], b)
			if !g.wide() {
				s := g.sqrt(d)
				return g.div(xs[0], g.mul(s, g.sqrt(s)))
			}
			r := g.rsqrt(d)
			return g.mul(xs[0], g.mul(r, g.rsqrt(g.mul(d, r))))
		}
	}, nil)
	ternaryNames = addName(ternaryNames, "mulOver")
	stream(g, "mulOver", "sets dst = c*x*y/(a*z + b).", []string{"x", "y", "z"}, func(param func(int) V) func([]V) V {
		a, b, c := param(0), param(1), param(2)
		return func(xs []V) V { return g.mul(g.mul(g.mul(xs[0], g.recip(g.fma(a, xs[2], b))), xs[1]), c) }
	}, nil)
	ternaryNames = addName(ternaryNames, "centerMulAdd")
	stream(g, "centerMulAdd", "sets dst = ((x - a)*b + c)*y + z.", []string{"x", "y", "z"}, func(param func(int) V) func([]V) V {
		a, b, c := param(0), param(1), param(2)
		return func(xs []V) V { return g.fma(g.fma(g.sub(xs[0], a), b, c), xs[1], xs[2]) }
	}, nil)
	ternaryNames = addName(ternaryNames, "countEqual")
	stream(g, "countEqual", "sets dst = x = y ? z + 1 : z.", []string{"x", "y", "z"}, func(func(int) V) func([]V) V {
		one := g.hold(k(1))
		return func(xs []V) V { return g.add(xs[2], g.keep(g.cmp(xs[0], eq, xs[1]), one)) }
	}, nil)
	ternaryNames = addName(ternaryNames, "mulAdd")
	stream(g, "mulAdd", "sets dst = x*y + z.", []string{"x", "y", "z"}, func(func(int) V) func([]V) V {
		return func(xs []V) V { return g.fma(xs[0], xs[1], xs[2]) }
	}, nil)
}
