package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// This file is a small language of vector expressions: each operation takes
// vectors (or constants, as second operands) and returns a new one, and emits
// the instruction of the generator's width. The functions of math.go are
// written in it once and come out for AVX2 and AVX-512.

// V is a vector of float32 or of int32.
type V = reg.VecVirtual

// mask is the outcome of a comparison: an opmask register (AVX-512) or a vector
// of ones and zeros (AVX2).
type mask struct {
	k reg.OpmaskVirtual
	v V
}

// konst is a float32 constant in memory, by its bits.
type konst uint32

func k(f float64) konst { return konst(math.Float32bits(float32(f))) }

func (g *gen) wide() bool { return g.w.lanes == 16 }

// new returns a fresh vector register.
func (g *gen) new() V {
	if g.wide() {
		return g.ZMM()
	}
	return g.YMM()
}

// constant returns the memory that holds a constant: one word that EVEX
// instructions broadcast, or a whole vector for AVX2.
func (g *gen) constant(c konst) operand.Mem {
	name := fmt.Sprintf("c%08x", uint32(c))
	m, ok := g.consts[name]
	if !ok {
		m = g.StaticGlobal(name)
		g.DataAttributes(rodata)
		n := 1
		if !g.wide() {
			n = g.w.lanes
		}
		for range n {
			g.AppendDatum(operand.U32(c))
		}
		g.consts[name] = m
	}
	return m
}

// hold loads a constant into a register that lives across the loop.
func (g *gen) hold(c konst) V {
	v := g.new()
	g.VBROADCASTSS(g.constant(c), v)
	return v
}

// op is an instruction of three operands, plain and with a broadcast word.
type op struct{ plain, bcst func(ops ...operand.Op) }

// apply emits dst = a op b; b is a V or a konst.
func (g *gen) apply(o op, a V, b any) V {
	dst := g.new()
	switch b := b.(type) {
	case V:
		o.plain(b, a, dst)
	case konst:
		if g.wide() {
			o.bcst(g.constant(b), a, dst)
		} else {
			o.plain(g.constant(b), a, dst)
		}
	case double:
		if g.wide() {
			o.bcst(g.constantDouble(b), a, dst)
		} else {
			o.plain(g.constantDouble(b), a, dst)
		}
	default:
		panic(fmt.Sprintf("operand %T", b))
	}
	return dst
}

func (g *gen) add(a V, b any) V { return g.apply(op{g.VADDPS, g.VADDPS_BCST}, a, b) }
func (g *gen) sub(a V, b any) V { return g.apply(op{g.VSUBPS, g.VSUBPS_BCST}, a, b) }
func (g *gen) mul(a V, b any) V { return g.apply(op{g.VMULPS, g.VMULPS_BCST}, a, b) }
func (g *gen) div(a V, b any) V { return g.apply(op{g.VDIVPS, g.VDIVPS_BCST}, a, b) }

// max and min return b where either operand is NaN: give the value that may be
// NaN second.
func (g *gen) max(a V, b any) V { return g.apply(op{g.VMAXPS, g.VMAXPS_BCST}, a, b) }
func (g *gen) min(a V, b any) V { return g.apply(op{g.VMINPS, g.VMINPS_BCST}, a, b) }

func (g *gen) and(a V, b any) V    { return g.apply(op{g.VANDPS, g.VANDPS_BCST}, a, b) }
func (g *gen) or(a V, b any) V     { return g.apply(op{g.VORPS, g.VORPS_BCST}, a, b) }
func (g *gen) xor(a V, b any) V    { return g.apply(op{g.VXORPS, g.VXORPS_BCST}, a, b) }
func (g *gen) addInt(a V, b any) V { return g.apply(op{g.VPADDD, g.VPADDD_BCST}, a, b) }
func (g *gen) subInt(a V, b any) V { return g.apply(op{g.VPSUBD, g.VPSUBD_BCST}, a, b) }

// shl shifts integers left, sar arithmetically right.
func (g *gen) shl(a V, n int) V {
	dst := g.new()
	g.VPSLLD(operand.U8(n), a, dst)
	return dst
}

func (g *gen) sar(a V, n int) V {
	dst := g.new()
	g.VPSRAD(operand.U8(n), a, dst)
	return dst
}

func (g *gen) toInt(a V) V {
	dst := g.new()
	g.VCVTPS2DQ(a, dst)
	return dst
}

func (g *gen) toFloat(a V) V {
	dst := g.new()
	g.VCVTDQ2PS(a, dst)
	return dst
}

func (g *gen) sqrt(a V) V {
	dst := g.new()
	g.VSQRTPS(a, dst)
	return dst
}

// round rounds to integers: 0 to nearest even, 1 down, 2 up.
func (g *gen) round(a V, how int) V {
	dst := g.new()
	if g.wide() {
		g.VRNDSCALEPS(operand.U8(8|how), a, dst)
	} else {
		g.VROUNDPS(operand.U8(8|how), a, dst)
	}
	return dst
}

func (g *gen) copy(a any) V {
	dst := g.new()
	switch a := a.(type) {
	case V:
		g.VMOVAPS(a, dst)
	case konst:
		g.VBROADCASTSS(g.constant(a), dst)
	}
	return dst
}

// fma returns a*b+c; b or c may be a constant, not both.
func (g *gen) fma(a V, b, c any) V {
	if ck, ok := c.(konst); ok {
		bv := b.(V)
		dst := g.copy(a)
		g.fma213(ck, bv, dst)
		return dst
	}
	dst := g.copy(c)
	g.fused(op{g.VFMADD231PS, g.VFMADD231PS_BCST}, b, a, dst)
	return dst
}

// fma213 sets dst = a*dst + c.
func (g *gen) fma213(c any, a, dst V) { g.fused(op{g.VFMADD213PS, g.VFMADD213PS_BCST}, c, a, dst) }

// fnma returns c - a*b; b may be a constant.
func (g *gen) fnma(a V, b any, c V) V {
	dst := g.copy(c)
	g.fused(op{g.VFNMADD231PS, g.VFNMADD231PS_BCST}, b, a, dst)
	return dst
}

// fms returns a*b - c, the rounding error of a*b where c is the product.
func (g *gen) fms(a V, b any, c V) V {
	dst := g.copy(c)
	g.fused(op{g.VFMSUB231PS, g.VFMSUB231PS_BCST}, b, a, dst)
	return dst
}

func (g *gen) fused(o op, x any, a, dst V) {
	switch x := x.(type) {
	case V:
		o.plain(x, a, dst)
	case konst:
		if g.wide() {
			o.bcst(g.constant(x), a, dst)
		} else {
			o.plain(g.constant(x), a, dst)
		}
	}
}

// poly evaluates a polynomial, lowest coefficient first, by Horner's rule.
func (g *gen) poly(x V, c ...float64) V {
	p := g.copy(k(c[len(c)-1]))
	for i := len(c) - 2; i >= 0; i-- {
		g.fma213(k(c[i]), x, p)
	}
	return p
}

// Comparison predicates; the last of each pair is true for NaN.
const (
	eq    = 0
	lt    = 1
	le    = 2
	unord = 3
	nlt   = 5
	nle   = 6
	ord   = 7
	ge    = 13
	gt    = 14
)

// cmp compares a with b, a V or a konst.
func (g *gen) cmp(a V, pred int, b any) mask {
	if !g.wide() {
		return mask{v: g.apply(op{plain: func(ops ...operand.Op) {
			g.VCMPPS(append([]operand.Op{operand.U8(pred)}, ops...)...)
		}}, a, b)}
	}
	m := g.K()
	switch b := b.(type) {
	case V:
		g.VCMPPS(operand.U8(pred), b, a, m)
	case konst:
		g.VCMPPS_BCST(operand.U8(pred), g.constant(b), a, m)
	}
	return mask{k: m}
}

// pick returns yes where the mask is set and no elsewhere; yes may be a constant.
func (g *gen) pick(m mask, yes any, no V) V {
	dst := g.new()
	switch yes := yes.(type) {
	case V:
		if g.wide() {
			g.VBLENDMPS(yes, no, m.k, dst)
		} else {
			g.VBLENDVPS(m.v, yes, no, dst)
		}
	case konst:
		if g.wide() {
			g.VBLENDMPS_BCST(g.constant(yes), no, m.k, dst)
		} else {
			g.VBLENDVPS(m.v, g.constant(yes), no, dst)
		}
	}
	return dst
}

// keep returns a where the mask is set and 0 elsewhere.
func (g *gen) keep(m mask, a V) V {
	if !g.wide() {
		return g.and(m.v, a)
	}
	dst := g.new()
	g.VMOVAPS_Z(a, m.k, dst)
	return dst
}

const (
	signBit  = konst(0x80000000)
	absBits  = konst(0x7fffffff)
	inf      = konst(0x7f800000)
	minusInf = konst(0xff800000)
	nan      = konst(0x7fc00000)
)

func (g *gen) abs(a V) V { return g.and(a, absBits) }

// approx returns 1/d with a relative error below 2^-14.
func (g *gen) approx(d V) V {
	if !g.wide() {
		return g.div(g.copy(k(1)), d)
	}
	r := g.new()
	g.VRCP14PS(d, r)
	return r
}

// recip returns 1/d for d in [2^-100, 2^100], to about 1 ULP.
func (g *gen) recip(d V) V {
	r := g.approx(d)
	if !g.wide() {
		return r
	}
	e := g.fnma(d, r, g.copy(k(1)))
	g.VFMADD213PS(r, r, e) // r*e + r
	return e
}

// scaled is what exponent returns: a power of two, by its exponent.
type scaled struct {
	n   V // the exponent, an integer as float32
	int V // the same as int32, AVX2 only
}

// ldexp returns p * 2^n, correctly rounded into subnormals, infinite beyond.
func (g *gen) ldexp(p V, s scaled) V {
	if g.wide() {
		dst := g.new()
		g.VSCALEFPS(s.n, p, dst)
		return dst
	}
	h := g.sar(s.int, 1)
	rest := g.subInt(s.int, h)
	p = g.mul(p, g.shl(g.addInt(h, konst(127)), 23))
	return g.mul(p, g.shl(g.addInt(rest, konst(127)), 23))
}

// ldexpDeep is ldexp for n down to -378; that of AVX2 reaches to -252.
func (g *gen) ldexpDeep(p V, s scaled) V {
	if g.wide() {
		return g.ldexp(p, s)
	}
	p = g.ldexp(p, scaled{int: g.sar(s.int, 1)})
	return g.ldexp(p, scaled{int: g.subInt(s.int, g.sar(s.int, 1))})
}

// pow2 returns 2^n for n in [-126, 127].
func (g *gen) pow2(s scaled) V {
	if g.wide() {
		return g.ldexp(g.copy(k(1)), s)
	}
	return g.shl(g.addInt(s.int, konst(127)), 23)
}

// reduce splits x = n*ln2/f + r, |r| <= ln2/2/f, for the exponential of f*x,
// where f is 1 or a power of 2; |n| stays below 2^22.
func (g *gen) reduce(x V, f float64) (scaled, V) {
	const magic = 0x1.8p23 // adding it rounds to an integer
	t := g.fma(x, g.copy(k(f/math.Ln2)), k(magic))
	n := g.sub(t, k(magic))
	r := g.fnma(n, k(ln2Hi/f), x)
	r = g.fnma(n, k(ln2Lo/f), r)
	s := scaled{n: n}
	if !g.wide() {
		s.int = g.subInt(t, k(magic))
	}
	return s, r
}

var (
	ln2Hi = float64(float32(math.Ln2))
	ln2Lo = math.Ln2 - ln2Hi
)

func u8(i uint8) operand.U8 { return operand.U8(i) }
