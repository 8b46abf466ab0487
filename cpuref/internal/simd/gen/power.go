package main

import (
	"math"
	"strings"

	"github.com/mmcloughlin/avo/operand"
)

// This file computes in float64 what float32 has too few digits, or too small a
// range, for: powers, whose exponent y*log2(x) is wanted to 2^-24 where it is 150,
// and quotients by a square. Each vector of float32 is made two of float64.

// minusZero is -0, whose bits are a sign.
var minusZero = double(math.Copysign(0, -1))

// log2D returns log2(a) for a >= 0 that was a float32, to 2^-36 of itself: with
// a = 2^e m and s = (m-1)/(m+1) it is e + 2/ln2 (s + s^3/3 + s^5/5 + ...).
func (g *gen) log2D(a V) V {
	var e, m V
	if g.wide() { // m in [3/4, 3/2); e is -Inf for 0 and Inf for Inf, where m is 1
		m = g.new()
		floor := g.new()
		g.VGETMANTPD(u8(0x0b), a, m)
		g.VGETEXPPD(a, floor)
		e = g.addD(floor, g.keepD(g.cmpD(m, lt, double(1)), g.copyD(double(1))))
	} else {
		// The bits less those of 3/4 have the exponent on top.
		bits, i := g.new(), g.new()
		g.VPSUBQ(g.constantDouble(0.75), a, bits)
		g.VPADDQ(g.constantDouble(1), bits, i) // 1023 more
		g.VPSRLQ(operand.U8(52), i, i)
		m = g.new()
		g.VPSLLQ(operand.U8(52), i, m)
		g.VPSUBQ(m, a, m)
		g.VPADDQ(g.constantDouble(1), m, m)
		// An integer below 2^52 among the digits of 2^52 is 2^52 more.
		g.VPOR(g.constantDouble(0x1p52), i, i)
		e = g.subD(i, double(0x1p52+1023))
	}
	f, d := g.subD(m, double(1)), g.addD(m, double(1))
	var s V
	if g.wide() { // faster than a division
		r := g.new()
		g.VRCP14PD(d, r)
		r = g.fmaD(g.fnmaD(d, r, double(1)), r, r)
		s = g.mulD(f, r)
		s = g.fmaD(g.fnmaD(s, d, f), r, s)
	} else {
		s = g.divD(f, d)
	}
	s2 := g.mulD(s, s)
	c := make([]float64, 7)
	for i := range c {
		c[i] = 2 / math.Ln2 / float64(2*i+1)
	}
	y := g.fmaD(s, g.polyD(s2, c...), e)
	if g.wide() {
		return y
	}
	y = g.pickD(g.cmpD(a, nlt, double(math.Inf(1))), a, y) // Inf and NaN
	return g.pickD(g.cmpD(a, eq, double(0)), double(math.Inf(-1)), y)
}

// exp2D returns 2^t, to 2^-31 of itself.
func (g *gen) exp2D(t V) V {
	t = g.minD(g.copyD(double(1080)), g.maxD(g.copyD(double(-1080)), t)) // NaN stays
	n := g.roundD(t)
	r := g.subD(t, n)
	c, v := make([]float64, 9), 1.0
	for i := range c {
		c[i] = v
		v *= math.Ln2 / float64(i+1)
	}
	p := g.polyD(r, c...)
	if g.wide() {
		dst := g.new()
		g.VSCALEFPD(n, p, dst)
		return dst
	}
	// In two steps, of which each has an exponent.
	h := g.roundD(g.mulD(n, double(0.5)))
	for _, part := range []V{h, g.subD(n, h)} {
		power := g.addD(part, double(0x1.8p52+1023))
		g.VPSLLQ(operand.U8(52), power, power)
		p = g.mulD(p, power)
	}
	return p
}

// powD returns x^y given log2|x|, with the limits of IEEE 754.
func (g *gen) powD(x, y, log V) V {
	p := g.exp2D(g.mulD(y, log))
	p = g.pickD(g.cmpD(log, eq, double(0)), double(1), p) // of an infinite y too
	// An odd y keeps the sign of x, and one that is no integer has no power of a
	// finite x below 0.
	half := g.mulD(y, double(0.5))
	odd := g.cmpD(half, 4, g.roundD(half)) // not equal, or NaN
	whole := g.cmpD(y, eq, g.roundD(y))
	signed := g.xorD(p, g.andD(x, minusZero))
	if g.wide() {
		oddWhole, broken := g.K(), g.K()
		g.KANDW(odd.k, whole.k, oddWhole)
		p = g.pickD(mask{k: oddWhole}, signed, p)
		below := g.cmpD(x, lt, double(0))
		finite := g.cmpD(x, gt, double(math.Inf(-1)))
		g.KANDW(below.k, finite.k, broken)
		g.KANDNW(broken, whole.k, broken)
		p = g.pickD(mask{k: broken}, double(math.NaN()), p)
	} else {
		p = g.pickD(mask{v: g.andD(odd.v, whole.v)}, signed, p)
		below := g.cmpD(x, lt, double(0))
		finite := g.cmpD(x, gt, double(math.Inf(-1)))
		broken := g.new()
		g.VANDNPD(g.andD(below.v, finite.v), whole.v, broken)
		p = g.pickD(mask{v: broken}, double(math.NaN()), p)
	}
	p = g.pickD(g.cmpD(x, eq, double(1)), double(1), p)
	return g.pickD(g.cmpD(y, eq, double(0)), double(1), p)
}

// powers writes what is computed in float64.
func powers(g *gen) {
	binaryNames = addName(binaryNames, "pow")
	stream(g, "pow", "sets dst = x^y.", []string{"x", "y"}, func(func(int) V) func([]V) V {
		return g.inDouble(func(xs []V) V { return g.powD(xs[0], xs[1], g.log2D(g.absD(xs[0]))) })
	}, nil)
	ternary := func(name, formula string, f func(dy, x, y V) V) {
		gradTernaryNames = addName(gradTernaryNames, name)
		full := "grad" + strings.ToUpper(name[:1]) + name[1:]
		stream(g, full, "sets dst = "+formula+".", []string{"dy", "x", "y"}, func(func(int) V) func([]V) V {
			return g.inDouble(func(xs []V) V { return f(xs[0], xs[1], xs[2]) })
		}, nil)
	}
	ternary("powBase", "y = 0 ? dy*0 : dy*y*x^(y-1)", func(dy, x, y V) V {
		p := g.powD(x, g.subD(y, double(1)), g.log2D(g.absD(x)))
		u := g.mulD(y, p)
		return g.mulD(dy, g.pickD(g.cmpD(y, eq, double(0)), double(0), u))
	})
	ternary("powExponent", "x = 0 and y >= 0 ? dy*0 : dy*x^y*ln(x)", func(dy, x, y V) V {
		log := g.log2D(g.absD(x))
		v := g.mulD(g.powD(x, y, log), g.mulD(log, double(math.Ln2)))
		v = g.pickD(g.cmpD(x, lt, double(0)), double(math.NaN()), v)
		// 0^y*ln(0) is NaN for y > 0.
		none := g.cmpD(x, eq, double(0))
		if positive := g.cmpD(y, ge, double(0)); g.wide() {
			g.KANDW(positive.k, none.k, none.k)
		} else {
			none.v = g.andD(positive.v, none.v)
		}
		return g.mulD(dy, g.pickD(none, double(0), v))
	})
	ternary("divisor", "-dy*x/y^2", func(dy, x, y V) V {
		return g.divD(g.mulD(dy, g.xorD(x, minusZero)), g.mulD(y, y))
	})
}
