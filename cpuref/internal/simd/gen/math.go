package main

import "math"

// The minimax polynomials below were found with Sollya's fpminimax, float32
// coefficients included in the search; the error named is that of the
// polynomial alone, relative to the function.

// expQ: exp(r) = 1 + r + r^2 expQ(r) on |r| <= ln2/2, error 1.1e-8.
var expQ = []float64{0.5, 0.1666657626628875732421875, 4.166646301746368408203125e-2,
	8.363320492208003997802734375e-3, 1.393537037074565887451171875e-3}

// logP: log1p(f) = f - f^2/2 + f^3 logP(f) on [-1/4, 1/2], error 7.0e-9.
var logP = []float64{0.333333313465118408203125, -0.2500005066394805908203125, 0.2000042498111724853515625,
	-0.16661648452281951904296875, 0.14259450137615203857421875, -0.1260872185230255126953125,
	0.117392010986804962158203125, -9.8753564059734344482421875e-2, 4.5863993465900421142578125e-2}

// log1pP: log1p(u) = u + u^2 log1pP(u) on [0, 1], error 5.4e-9.
var log1pP = []float64{-0.5, 0.3333327770233154296875, -0.2499763667583465576171875, 0.1996481120586395263671875,
	-0.164041936397552490234375, 0.1314118385791778564453125, -9.316428005695343017578125e-2,
	5.10165691375732421875e-2, -1.807614602148532867431640625e-2, 2.9965750873088836669921875e-3}

// ndtrP: Phi(-a) = exp(-a^2/2) t ndtrP(t), t = 1/(1+a/4), for a in [0, 14.6], error 8.8e-9.
var ndtrP = []float64{9.97461378574371337890625e-2, 9.95248258113861083984375e-2, 9.5262683928012847900390625e-2,
	7.311792671680450439453125e-2, 8.358098566532135009765625e-2, 1.8178246915340423583984375e-2,
	2.21464000642299652099609375e-2, 5.61783425509929656982421875e-2, -6.464402377605438232421875e-2,
	1.69084779918193817138671875e-2}

// erfP: erf(x) = x erfP(x^2) on |x| <= 1, error 5.4e-8.
var erfP = []float64{1.1283791065216064453125, -0.376122951507568359375, 0.11280010640621185302734375,
	-2.670751512050628662109375e-2, 4.91381622850894927978515625e-3, -5.618017748929560184478759765625e-4}

// erfQ: erf(x) = 1 - exp(-x erfQ(x)) on [0.99, 3.95], error 1.1e-8.
var erfQ = []float64{1.1289007663726806640625, 0.634169042110443115234375, 0.10780744254589080810546875,
	-2.508987672626972198486328125e-2, 4.2767194099724292755126953125e-3, -4.907135735265910625457763671875e-4,
	3.3124772016890347003936767578125e-5, -9.66044581218739040195941925048828125e-7}

// sinP: sin(r) = r + r^3 sinP(r^2), and cosP: cos(r) = 1 - r^2/2 + r^4 cosP(r^2),
// on |r| <= pi/4, errors 1.3e-8 and 1.0e-9.
var (
	sinP = []float64{-0.16666664183139801025390625, 8.33271630108356475830078125e-3, -1.95835877093486487865447998046875e-4}
	cosP = []float64{4.1666664183139801025390625e-2, -1.38882710598409175872802734375e-3, 2.454362766002304852008819580078125e-5}
)

// shrinkP: x - tanh(x) = x^3 shrinkP(x^2) on |x| <= 1, error 3.0e-8.
var shrinkP = []float64{0.3333333432674407958984375, -0.1333335340023040771484375, 5.39679341018199920654296875e-2,
	-2.1850682795047760009765625e-2, 8.748727850615978240966796875e-3, -3.27256065793335437774658203125e-3,
	9.668627171777188777923583984375e-4, -1.54248307808302342891693115234375e-4}

// clamps holds the bounds of an argument across the loop; NaN passes.
func (g *gen) clamps(lo, hi float64) func(x V) V {
	l, h := g.hold(k(lo)), g.hold(k(hi))
	return func(x V) V { return g.min(h, g.max(l, x)) }
}

func (g *gen) atMost(hi float64) func(x V) V {
	h := g.hold(k(hi))
	return func(x V) V { return g.min(h, x) }
}

func (g *gen) atLeast(lo float64) func(x V) V {
	l := g.hold(k(lo))
	return func(x V) V { return g.max(l, x) }
}

// expm1R returns exp(r) - 1 for a reduced argument.
func (g *gen) expm1R(r V) V {
	q := g.poly(r, expQ...)
	return g.fma(g.mul(r, r), q, r)
}

// expR returns exp(r) for a reduced argument.
func (g *gen) expR(r V) V {
	p := g.poly(r, append([]float64{1, 1}, expQ...)...)
	return p
}

// expNeg returns exp(-a) for a in [0, 126 ln 2): never subnormal.
func (g *gen) expNeg(a V) V {
	s, r := g.reduce(g.xor(a, signBit), 1)
	return g.mul(g.expR(r), g.pow2(s))
}

// expm1 returns exp(x) - 1 for x in [-104, 89]: 2^n (exp(r)-1) + (2^n-1), with
// half of 2^n throughout, so that 2^128 need not be represented.
func (g *gen) expm1(x V) V {
	s, r := g.reduce(x, 1)
	half := scaled{n: g.sub(s.n, k(1))}
	if !g.wide() {
		half.int = g.addInt(s.int, konst(0xffffffff))
	}
	h := g.ldexp(g.copy(k(1)), half)
	t := g.fma(h, g.expm1R(r), g.sub(h, k(0.5)))
	return g.add(t, t)
}

// log1pUnit returns log1p(u) for u in [0, 1].
func (g *gen) log1pUnit(u V) V {
	return g.fma(g.mul(u, u), g.poly(u, log1pP...), u)
}

// exponent splits positive x = 2^e m, m in [3/4, 3/2). In AVX-512 the limits come out
// right by themselves: e is -Inf for 0 and Inf for Inf, m is NaN for negative x.
func (g *gen) exponent(x V) (e, m V) {
	if g.wide() {
		e, m = g.new(), g.new()
		g.VGETMANTPS(u8(0x0b), x, m) // [3/4, 3/2), NaN if negative
		g.VGETEXPPS(x, e)            // floor(log2 |x|)
		up := g.cmp(m, lt, k(1))     // m was halved into [3/4, 1)
		one := g.keep(up, g.copy(k(1)))
		return g.add(e, one), m
	}
	small := g.cmp(x, lt, k(0x1p-126))
	x = g.pick(small, g.mul(x, k(0x1p25)), x)
	i := g.sar(g.subInt(x, k(0.75)), 23)
	m = g.subInt(x, g.shl(i, 23))
	return g.sub(g.toFloat(i), g.keep(small, g.copy(k(25)))), m
}

// logLimits puts the limits of the logarithm into y = log(x) (AVX2).
func (g *gen) logLimits(x, y V) V {
	if g.wide() {
		return y
	}
	y = g.pick(g.cmp(x, nlt, inf), x, y) // Inf and NaN
	y = g.pick(g.cmp(x, eq, k(0)), minusInf, y)
	return g.pick(g.cmp(x, lt, k(0)), nan, y)
}

// log1pF returns log1p(f) for f in [-1/4, 1/2].
func (g *gen) log1pF(f V) V {
	s := g.mul(f, f)
	t := g.fma(f, g.poly(f, logP...), k(-0.5))
	return g.fma(s, t, f)
}

// logOf returns e ln2 + log1p(f).
func (g *gen) logOf(e, f V) V {
	// Both parts of ln2 are positive, so that an infinite e makes no NaN.
	hi := float64(math.Nextafter32(float32(ln2Hi), 0))
	y := g.fma(e, k(math.Ln2-hi), g.log1pF(f))
	return g.fma(e, k(hi), y)
}

// mathFuncs writes the transcendental functions.
func mathFuncs(g *gen) {

	unary(g, "exp", "sets dst = e^src.", func(func(int) V) func(V) V {
		clamp := g.clamps(-104, 89)
		return func(x V) V {
			s, r := g.reduce(clamp(x), 1)
			return g.ldexp(g.expR(r), s)
		}
	}, nil)

	unary(g, "exp2", "sets dst = 2^src.", func(func(int) V) func(V) V {
		clamp := g.clamps(-151, 129)
		return func(x V) V {
			x = clamp(x)
			n := g.round(x, 0)
			r := g.mul(g.sub(x, n), k(math.Ln2))
			s := scaled{n: n}
			if !g.wide() {
				s.int = g.toInt(n)
			}
			return g.ldexp(g.expR(r), s)
		}
	}, nil)

	unary(g, "expm1", "sets dst = e^src - 1.", func(func(int) V) func(V) V {
		clamp := g.clamps(-104, 89)
		return func(x V) V { return g.expm1(clamp(x)) }
	}, nil)

	elu := func(name, doc string, neg func(x V) V, pos func(x V) V, prep func(func(int) V)) {
		unary(g, name, doc, func(param func(int) V) func(V) V {
			clamp := g.atLeast(-104)
			prep(param)
			return func(x V) V {
				y := neg(clamp(x))
				return g.pick(g.cmp(x, gt, k(0)), pos(x), y)
			}
		}, nil)
	}
	// For positive x the branch not taken may overflow; its value is dropped.
	var a, b V
	id := func(x V) V { return x }
	elu("elu", "sets dst = src > 0 ? src : a*(e^src - 1).",
		func(x V) V { return g.mul(a, g.expm1(g.min(g.copy(k(1)), x))) }, id,
		func(param func(int) V) { a = param(0) })
	elu("selu", "sets dst = src > 0 ? a*src : b*(e^src - 1).",
		func(x V) V { return g.mul(b, g.expm1(g.min(g.copy(k(1)), x))) }, func(x V) V { return g.mul(a, x) },
		func(param func(int) V) { a, b = param(0), param(1) })

	unary(g, "celu", "sets dst = src > 0 ? src : a*(e^(src/a) - 1).", func(param func(int) V) func(V) V {
		a, clamp := param(0), g.clamps(-104, 1)
		return func(x V) V {
			z := g.div(x, a)
			y := g.mul(a, g.expm1(clamp(z)))
			// For positive x, and for tiny z, which may have lost digits, it is x.
			return g.pick(g.cmp(z, gt, k(-0x1p-26)), x, y)
		}
	}, nil)

	unary(g, "log", "sets dst = ln(src).", func(func(int) V) func(V) V {
		return func(x V) V {
			e, m := g.exponent(x)
			return g.logLimits(x, g.logOf(e, g.sub(m, k(1))))
		}
	}, nil)

	unary(g, "log2", "sets dst = log2(src).", func(func(int) V) func(V) V {
		return func(x V) V {
			e, m := g.exponent(x)
			y := g.log1pF(g.sub(m, k(1)))
			return g.logLimits(x, g.fma(y, k(math.Log2E), e))
		}
	}, nil)

	unary(g, "log1p", "sets dst = ln(1 + src).", func(func(int) V) func(V) V {
		return func(x V) V {
			// u = 1+x rounded, c what was lost; log(u+c) = e ln2 + log1p(m-1 + c 2^-e).
			u := g.add(x, k(1))
			big := g.sub(x, g.sub(u, k(1)))
			t := g.sub(u, x)
			c := g.pick(g.cmp(x, lt, k(1)), big, g.sub(g.copy(k(1)), t))
			e, m := g.exponent(u)
			var cs V
			if g.wide() {
				cs = g.new()
				g.VSCALEFPS(g.xor(e, signBit), c, cs)
			} else {
				ne := g.shl(g.subInt(g.copy(konst(127)), g.toInt(e)), 23)
				cs = g.mul(c, ne)
			}
			cs = g.keep(g.cmp(x, lt, k(0x1p60)), cs) // beyond it 2^-e may be out of range
			f := g.add(g.sub(m, k(1)), cs)
			y := g.logOf(e, f)
			y = g.pick(g.cmp(u, le, k(0)), g.pick(g.cmp(u, eq, k(0)), minusInf, g.copy(nan)), y)
			return g.pick(g.cmp(x, nlt, inf), x, y)
		}
	}, nil)

	unary(g, "sigmoid", "sets dst = 1/(1 + e^-src).", func(func(int) V) func(V) V {
		limit := g.atMost(104)
		return func(x V) V {
			s, r := g.reduce(g.xor(limit(g.abs(x)), signBit), 1)
			e := g.ldexp(g.expR(r), s)
			y := g.recip(g.add(e, k(1)))
			return g.pick(g.cmp(x, lt, k(0)), g.mul(e, y), y)
		}
	}, nil)

	// swish returns x*sigmoid(z+zlo); the product is scaled last, so that it
	// keeps its digits where e^z is subnormal.
	// The product is halved on the way, since x may be as large as there is.
	swish := func(x, z V, zlo V, lim func(V) V) V {
		neg := g.cmp(z, lt, k(0))
		a := lim(g.abs(z))
		s, r := g.reduce(g.xor(a, signBit), 1)
		if zlo != nil { // -|z+zlo| = -|z| -+ zlo
			r = g.add(r, g.xor(g.xor(zlo, signBit), g.and(z, signBit)))
		}
		p := g.expR(r)
		y := g.mul(x, g.recip(g.add(g.ldexpDeep(p, s), k(1))))
		t := g.ldexpDeep(g.mul(y, g.mul(p, k(0.5))), s)
		return g.pick(neg, g.add(t, t), y)
	}
	unary(g, "silu", "sets dst = src/(1 + e^-src).", func(func(int) V) func(V) V {
		lim, low := g.atMost(120), g.atLeast(-120)
		return func(x V) V { return swish(low(x), x, nil, lim) }
	}, nil)
	unary(g, "swish", "sets dst = src/(1 + e^(-a*src)).", func(param func(int) V) func(V) V {
		lim, a := g.atMost(200), param(0)
		return func(x V) V {
			z := g.mul(a, x)
			lo := g.fms(a, x, z)
			// Where the product overflows there is no rounding error to speak of.
			lo = g.keep(g.cmp(g.abs(z), lt, k(200)), lo)
			y := swish(x, z, lo, lim)
			// x*sigmoid(-Inf) is 0.
			return g.pick(g.cmp(z, eq, minusInf), k(0), y)
		}
	}, nil)

	unary(g, "mish", "sets dst = src*tanh(ln(1 + e^src)).", func(func(int) V) func(V) V {
		// With e = e^x: tanh(log(1+e)) = e(e+2) / (e(e+2)+2). The factor e is
		// applied last, by its exponent.
		clamp := g.clamps(-120, 20)
		return func(x V) V {
			c := clamp(x)
			s, r := g.reduce(c, 1)
			p := g.expR(r)
			e := g.ldexp(p, s)
			e2 := g.add(e, k(2))
			q := g.recip(g.fma(e, e2, k(2)))
			y := g.ldexp(g.mul(g.mul(c, p), g.mul(e2, q)), s)
			return g.pick(g.cmp(x, gt, k(20)), x, y)
		}
	}, nil)

	// tanhParts returns t = e^(2a) - 1 for a >= 0; tanh(a) = t/(t+2).
	expm1Twice := func(a V) V {
		s, r := g.reduce(a, 2)
		r = g.add(r, r)
		h := g.pow2(s)
		return g.fma(h, g.expm1R(r), g.sub(h, k(1)))
	}
	unary(g, "tanh", "sets dst = tanh(src).", func(func(int) V) func(V) V {
		lim := g.atMost(10)
		return func(x V) V {
			t := expm1Twice(lim(g.abs(x)))
			y := g.mul(t, g.recip(g.add(t, k(2))))
			return g.or(y, g.and(x, signBit))
		}
	}, nil)

	unary(g, "tanhShrink", "sets dst = src - tanh(src).", func(func(int) V) func(V) V {
		lim := g.atMost(10)
		return func(x V) V {
			// For |x| < 1 a series; beyond it (|x|-1) + 2/(e^(2|x|)+1).
			s := g.mul(x, x)
			small := g.mul(g.mul(x, s), g.poly(s, shrinkP...))
			a := g.abs(x)
			t := expm1Twice(lim(a))
			y := g.recip(g.add(t, k(2)))
			y = g.add(g.sub(a, k(1)), g.add(y, y))
			y = g.or(y, g.and(x, signBit))
			return g.pick(g.cmp(a, lt, k(1)), small, y)
		}
	}, nil)

	// logistic returns log(1 + e^-a) for a >= 0.
	logistic := func(a V) V {
		s, r := g.reduce(g.xor(a, signBit), 1)
		return g.log1pUnit(g.ldexp(g.expR(r), s))
	}
	unary(g, "softplus", "sets dst = ln(1 + e^src), and src where that is above a.", func(param func(int) V) func(V) V {
		b, lim, zero := param(0), g.atMost(104), g.hold(k(0))
		return func(x V) V {
			y := g.add(logistic(lim(g.abs(x))), g.max(zero, x))
			return g.pick(g.cmp(x, gt, b), x, y)
		}
	}, nil)
	unary(g, "softplusA", "sets dst = ln(1 + e^(b*src))/b, and src where b*src is above a.", func(param func(int) V) func(V) V {
		b, a, lim := param(0), param(1), g.atMost(200)
		return func(x V) V {
			z := g.mul(a, x)
			az := g.abs(z)
			lo := g.keep(g.cmp(az, lt, k(200)), g.fms(a, x, z))
			s, r := g.reduce(g.xor(lim(az), signBit), 1)
			r = g.add(r, g.xor(g.xor(lo, signBit), g.and(z, signBit)))
			p := g.expR(r)
			// Far below 0 the result is e^z/a; a may be small enough to bring it
			// back from where e^z alone is subnormal.
			far := g.cmp(z, lt, k(-20))
			y := g.div(g.pick(far, p, g.log1pUnit(g.ldexpDeep(p, s))), a)
			y = g.pick(far, g.ldexpDeep(y, s), y)
			y = g.add(y, g.keep(g.cmp(z, gt, k(0)), x))
			return g.pick(g.cmp(z, gt, b), x, y)
		}
	}, nil)
	unary(g, "logSigmoid", "sets dst = -ln(1 + e^-src).", func(func(int) V) func(V) V {
		lim, zero := g.atMost(104), g.hold(k(0))
		return func(x V) V { return g.sub(g.min(zero, x), logistic(lim(g.abs(x)))) }
	}, nil)

	unary(g, "gelu", "sets dst = src*Phi(src).", func(func(int) V) func(V) V {
		// max(x, 0) - a Phi(-a) with a = |x|. In v = a^2 + 2 n ln2, where e^(-a^2/2) is
		// 2^n e^(-v/2), only the last steps round: n times the first part of 2 ln2 is
		// exact.
		lim, zero := g.atMost(14.5), g.hold(k(0))
		high := math.Floor(math.Ln2*0x1p16) * 0x1p-16
		const magic = 0x1.8p23
		var exp []float64 // e^(-v/2)
		for i, c := range append([]float64{1, 1}, expQ...) {
			exp = append(exp, c*math.Pow(-0.5, float64(i)))
		}
		return func(x V) V {
			a := lim(g.abs(x))
			m := g.fma(g.mul(a, a), g.copy(k(-0.5/math.Ln2)), k(magic))
			s := scaled{n: g.sub(m, k(magic))}
			if !g.wide() {
				s.int = g.subInt(m, k(magic))
			}
			v := g.fma(a, a, g.mul(s.n, k(2*high)))
			v = g.fma(s.n, k(2*(math.Ln2-high)), v)
			e := g.ldexp(g.poly(v, exp...), s)
			// t = 1/(1+a/4): the result is three times as sensitive, so that what
			// rounding the denominator does to the approximation is made good too.
			q := g.mul(a, k(0.25))
			r := g.approx(g.add(q, k(1)))
			t := g.fma(r, g.fnma(r, q, g.sub(g.copy(k(1)), r)), r)
			return g.fnma(g.mul(g.mul(a, t), g.poly(t, ndtrP...)), e, g.max(zero, x))
		}
	}, nil)

	unary(g, "geluTanh", "sets dst = src/2*(1 + tanh(sqrt(2/pi)*(src + 0.044715*src^3))).", func(func(int) V) func(V) V {
		// x*sigmoid(w), w = c1 x + c2 x^3, to twice the precision: the relative
		// error of e^w is the absolute one of w.
		lim, clamp := g.atMost(120), g.clamps(-12, 12)
		c1, c2 := 1.595769121605730711759784239737527, 0.07135481627260024876373875227986354
		c1h, c2h := float64(float32(c1)), float64(float32(c2))
		return func(x V) V {
			c := clamp(x)
			s := g.mul(c, c)
			sl := g.fms(c, c, s)
			p := g.mul(s, k(c2h))
			pl := g.fms(s, k(c2h), p)
			pl = g.fma(sl, k(c2h), pl)
			pl = g.fma(s, k(c2-c2h), pl)
			pl = g.add(pl, k(c1-c1h))
			// i + il = c1 + p, whichever is the larger (Knuth).
			i := g.add(p, k(c1h))
			v := g.sub(i, p)
			il := g.add(g.sub(p, g.sub(i, v)), g.sub(g.copy(k(c1h)), v))
			il = g.add(il, pl)
			w := g.mul(c, i)
			wl := g.fma(c, il, g.fms(c, i, w))
			y := swish(c, w, wl, lim)
			return g.pick(g.cmp(x, gt, k(12)), x, y)
		}
	}, nil)

	unary(g, "erf", "sets dst = erf(src).", func(func(int) V) func(V) V {
		lim := g.atMost(3.95)
		return func(x V) V {
			s := g.mul(x, x)
			small := g.mul(x, g.poly(s, erfP...))
			a := g.abs(x)
			c := lim(a)
			q := g.mul(c, g.poly(c, erfQ...))
			y := g.sub(g.copy(k(1)), g.expNeg(q))
			y = g.or(y, g.and(x, signBit))
			return g.pick(g.cmp(a, lt, k(1)), small, y)
		}
	}, nil)

	trig(g)
}
