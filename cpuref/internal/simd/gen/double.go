package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"
)

// Vectors of float64: the operations of vec.go with a D behind their names, and the
// way from float32 and back.

// double is a float64 constant in memory.
type double float64

// constantDouble is constant for float64.
func (g *gen) constantDouble(c double) operand.Mem {
	bits := math.Float64bits(float64(c))
	name := fmt.Sprintf("d%016x", bits)
	m, ok := g.consts[name]
	if !ok {
		m = g.StaticGlobal(name)
		g.DataAttributes(rodata)
		n := 1
		if !g.wide() {
			n = g.w.lanes / 2
		}
		for range n {
			g.AppendDatum(operand.U64(bits))
		}
		g.consts[name] = m
	}
	return m
}

func (g *gen) addD(a V, b any) V { return g.apply(op{g.VADDPD, g.VADDPD_BCST}, a, b) }
func (g *gen) subD(a V, b any) V { return g.apply(op{g.VSUBPD, g.VSUBPD_BCST}, a, b) }
func (g *gen) mulD(a V, b any) V { return g.apply(op{g.VMULPD, g.VMULPD_BCST}, a, b) }
func (g *gen) divD(a V, b any) V { return g.apply(op{g.VDIVPD, g.VDIVPD_BCST}, a, b) }
func (g *gen) andD(a V, b any) V { return g.apply(op{g.VANDPD, g.VANDPD_BCST}, a, b) }
func (g *gen) xorD(a V, b any) V { return g.apply(op{g.VXORPD, g.VXORPD_BCST}, a, b) }

// maxD and minD return b where either is NaN.
func (g *gen) maxD(a V, b any) V { return g.apply(op{g.VMAXPD, g.VMAXPD_BCST}, a, b) }
func (g *gen) minD(a V, b any) V { return g.apply(op{g.VMINPD, g.VMINPD_BCST}, a, b) }

// copyD returns a constant, or a copy.
func (g *gen) copyD(a any) V {
	dst := g.new()
	switch a := a.(type) {
	case V:
		g.VMOVAPD(a, dst)
	case double:
		g.VBROADCASTSD(g.constantDouble(a), dst)
	}
	return dst
}

// absD is the absolute value.
func (g *gen) absD(x V) V { return g.andD(x, double(math.Float64frombits(1<<63-1))) }

// fmaD returns a*b + c.
func (g *gen) fmaD(a, b V, c any) V {
	dst := g.copyD(c)
	g.VFMADD231PD(a, b, dst)
	return dst
}

// fnmaD returns c - a*b.
func (g *gen) fnmaD(a, b V, c any) V {
	dst := g.copyD(c)
	g.VFNMADD231PD(a, b, dst)
	return dst
}

// polyD is poly in float64.
func (g *gen) polyD(x V, c ...float64) V {
	p := g.copyD(double(c[len(c)-1]))
	for i := len(c) - 2; i >= 0; i-- {
		if m := g.constantDouble(double(c[i])); g.wide() {
			g.VFMADD213PD_BCST(m, x, p)
		} else {
			g.VFMADD213PD(m, x, p)
		}
	}
	return p
}

// cmpD compares a with b, a V or a double.
func (g *gen) cmpD(a V, pred int, b any) mask {
	if !g.wide() {
		return mask{v: g.apply(op{plain: func(ops ...operand.Op) {
			g.VCMPPD(append([]operand.Op{operand.U8(pred)}, ops...)...)
		}}, a, b)}
	}
	m := g.K()
	switch b := b.(type) {
	case V:
		g.VCMPPD(operand.U8(pred), b, a, m)
	case double:
		g.VCMPPD_BCST(operand.U8(pred), g.constantDouble(b), a, m)
	}
	return mask{k: m}
}

// pickD is pick for float64.
func (g *gen) pickD(m mask, yes any, no V) V {
	dst := g.new()
	switch yes := yes.(type) {
	case V:
		if g.wide() {
			g.VBLENDMPD(yes, no, m.k, dst)
		} else {
			g.VBLENDVPD(m.v, yes, no, dst)
		}
	case double:
		if g.wide() {
			g.VBLENDMPD_BCST(g.constantDouble(yes), no, m.k, dst)
		} else {
			g.VBLENDVPD(m.v, g.constantDouble(yes), no, dst)
		}
	}
	return dst
}

// keepD returns a where the mask is set and 0 elsewhere.
func (g *gen) keepD(m mask, a V) V {
	if !g.wide() {
		return g.andD(m.v, a)
	}
	dst := g.new()
	g.VMOVAPD_Z(a, m.k, dst)
	return dst
}

// roundD rounds to the nearest integer, halves to even.
func (g *gen) roundD(a V) V {
	dst := g.new()
	if g.wide() {
		g.VRNDSCALEPD(operand.U8(8), a, dst)
	} else {
		g.VROUNDPD(operand.U8(8), a, dst)
	}
	return dst
}

// widen returns one half of a vector of float32 as float64.
func (g *gen) widen(x V, half int) V {
	dst := g.new()
	switch {
	case g.wide() && half == 0:
		g.VCVTPS2PD(x.AsY(), dst)
	case g.wide():
		h := g.YMM()
		g.VEXTRACTF64X4(operand.U8(1), x, h)
		g.VCVTPS2PD(h, dst)
	case half == 0:
		g.VCVTPS2PD(x.AsX(), dst)
	default:
		h := g.XMM()
		g.VEXTRACTF128(operand.U8(1), x, h)
		g.VCVTPS2PD(h, dst)
	}
	return dst
}

// narrow returns the float32 of two halves.
func (g *gen) narrow(low, high V) V {
	dst := g.new()
	if g.wide() {
		h := g.YMM()
		g.VCVTPD2PS(high, h)
		g.VCVTPD2PS(low, dst.AsY())
		g.VINSERTF64X4(operand.U8(1), h, dst, dst)
		return dst
	}
	h := g.XMM()
	g.VCVTPD2PSY(high, h)
	g.VCVTPD2PSY(low, dst.AsX())
	g.VINSERTF128(operand.U8(1), h, dst, dst)
	return dst
}

// inDouble returns a function of vectors of float32 that computes f in float64.
func (g *gen) inDouble(f func(xs []V) V) func(xs []V) V {
	return func(xs []V) V {
		var y [2]V
		for half := range y {
			wide := make([]V, len(xs))
			for i, x := range xs {
				wide[i] = g.widen(x, half)
			}
			y[half] = f(wide)
		}
		return g.narrow(y[0], y[1])
	}
}
