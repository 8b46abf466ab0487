package main

import (
	"bytes"
	"fmt"
	"go/format"
	"log"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/mmcloughlin/avo/operand"
)

// gradNames are the gradients of pointwise functions that have been written, and
// gradTernaryNames those of functions of two arrays.
var gradNames, gradTernaryNames []string

// nge is the predicate of "not greater or equal", true for NaN.
const nge = 9

// grad writes dst = dy*f'(x), with the derivative that setup returns. The
// budgets are absolute, in units of 2^-24, so that no derivative needs more than
// single precision.
func grad(g *gen, name, formula string, setup func(param func(i int) V) func(x V) V) {
	gradNames = addName(gradNames, name)
	full := "grad" + strings.ToUpper(name[:1]) + name[1:]
	stream(g, full, "sets dst = dy*d with d = "+formula+".", []string{"dy", "x"}, func(param func(i int) V) func([]V) V {
		f := setup(param)
		return func(xs []V) V { return g.mul(xs[0], f(xs[1])) }
	}, nil)
}

// orNaN returns d, or x where that is NaN.
func (g *gen) orNaN(x, d V) V { return g.pick(g.cmp(x, unord, x), x, d) }

// decay returns e^-|z|, with |z| held to 104 by lim.
func (g *gen) decay(z V, lim func(V) V) V {
	s, r := g.reduce(g.xor(lim(g.abs(z)), signBit), 1)
	return g.ldexp(g.expR(r), s)
}

// logisticParts returns s = sigmoid(z) and e/(1+e)^2 = s*(1-s), e = e^-|z|.
func (g *gen) logisticParts(z V, lim func(V) V) (s, slope V) {
	e := g.decay(z, lim)
	r := g.recip(g.add(e, k(1)))
	er := g.mul(e, r)
	return g.pick(g.cmp(z, lt, k(0)), er, r), g.mul(er, r)
}

// grads writes the gradients of the pointwise functions.
func grads(g *gen) {
	piecewiseGrads(g)
	smoothGrads(g)
	elementaryGrads(g)
	ternaryGrads(g)
	repeat(g)
}

// piecewiseGrads writes those whose derivative is a choice among few values. At a
// kink it is the one of the closed side, as in cpuref.PointwiseDerivative64.
func piecewiseGrads(g *gen) {
	grad(g, "step", "x > a ? b : c", func(param func(int) V) func(V) V {
		a, b, c := param(0), param(1), param(2)
		return func(x V) V { return g.orNaN(x, g.pick(g.cmp(x, gt, a), b, c)) }
	})
	grad(g, "band", "a < x < b ? c : 0, where a NaN bound holds nothing back", func(param func(int) V) func(V) V {
		a, b, c := param(0), param(1), param(2)
		return func(x V) V {
			return g.orNaN(x, g.keep(g.cmp(x, nle, a), g.keep(g.cmp(x, nge, b), c)))
		}
	})
	grad(g, "line", "a*x+b > 0 and a*x+c < 0 ? a : 0", func(param func(int) V) func(V) V {
		a, b, c := param(0), param(1), param(2)
		return func(x V) V {
			above := g.cmp(g.fma(a, x, b), gt, k(0))
			below := g.cmp(g.fma(a, x, c), lt, k(0))
			return g.orNaN(x, g.keep(above, g.keep(below, a)))
		}
	})
	grad(g, "hardSwish", "x < -3 ? 0 : x <= 3 ? x/3 + 1/2 : 1", func(func(int) V) func(V) V {
		return func(x V) V {
			d := g.fma(x, g.copy(k(1.0/3)), k(0.5))
			d = g.pick(g.cmp(x, gt, k(3)), k(1), d)
			return g.pick(g.cmp(x, lt, k(-3)), k(0), d)
		}
	})
	grad(g, "shrink", "x < -a or x > a ? 1 : 0", func(param func(int) V) func(V) V {
		a, one := param(0), g.hold(k(1))
		minus := g.xor(a, signBit)
		return func(x V) V {
			return g.orNaN(x, g.pick(g.cmp(x, gt, a), one, g.keep(g.cmp(x, lt, minus), one)))
		}
	})
	grad(g, "abs", "the sign of x", func(func(int) V) func(V) V {
		return func(x V) V {
			d := g.or(g.and(x, signBit), k(1))
			return g.orNaN(x, g.pick(g.cmp(x, eq, k(0)), k(0), d))
		}
	})
}

// smoothGrads writes those of the functions of the exponential.
func smoothGrads(g *gen) {
	grad(g, "elu", "x > 0 ? b : a*e^x", func(param func(int) V) func(V) V {
		a, b, clamp := param(0), param(1), g.clamps(-104, 1)
		return func(x V) V {
			s, r := g.reduce(clamp(x), 1)
			return g.pick(g.cmp(x, gt, k(0)), b, g.mul(a, g.ldexp(g.expR(r), s)))
		}
	})
	grad(g, "celu", "x > 0 ? 1 : e^(x/a)", func(param func(int) V) func(V) V {
		a, clamp := param(0), g.clamps(-104, 1)
		return func(x V) V {
			s, r := g.reduce(clamp(g.div(x, a)), 1)
			return g.pick(g.cmp(x, gt, k(0)), k(1), g.ldexp(g.expR(r), s))
		}
	})
	grad(g, "logistic", "b*s*(1-s), s = 1/(1 + e^(-a*x))", func(param func(int) V) func(V) V {
		a, b, lim := param(0), param(1), g.atMost(104)
		return func(x V) V {
			_, slope := g.logisticParts(g.mul(a, x), lim)
			return g.mul(b, slope)
		}
	})
	grad(g, "sigmoid", "a*x > b ? 1 : 1/(1 + e^(-a*x))", func(param func(int) V) func(V) V {
		a, b, lim := param(0), param(1), g.atMost(104)
		return func(x V) V {
			z := g.mul(a, x)
			e := g.decay(z, lim)
			r := g.recip(g.add(e, k(1)))
			s := g.pick(g.cmp(z, lt, k(0)), g.mul(e, r), r)
			return g.pick(g.cmp(z, gt, b), k(1), s)
		}
	})
	grad(g, "swish", "s + z*s*(1-s), z = a*x, s = 1/(1 + e^-z)", func(param func(int) V) func(V) V {
		a, clamp, lim := param(0), g.clamps(-120, 120), g.atMost(104)
		return func(x V) V {
			z := clamp(g.mul(a, x))
			s, slope := g.logisticParts(z, lim)
			return g.fma(z, slope, s)
		}
	})
	grad(g, "mish", "t + 4*x*e*(1+e)/(n+2)^2, e = e^x, n = e*(e+2), t = n/(n+2)", func(func(int) V) func(V) V {
		clamp := g.clamps(-104, 20)
		return func(x V) V {
			c := clamp(x)
			s, r := g.reduce(c, 1)
			e := g.ldexp(g.expR(r), s)
			n := g.mul(e, g.add(e, k(2)))
			u := g.recip(g.add(n, k(2)))
			four := g.mul(g.mul(c, k(4)), g.fma(e, e, e))
			return g.mul(u, g.fma(four, u, n))
		}
	})
	grad(g, "tanhShrink", "tanh(x)^2", func(func(int) V) func(V) V {
		lim := g.atMost(104)
		return func(x V) V {
			e := g.decay(g.add(x, x), lim)
			t := g.mul(g.sub(g.copy(k(1)), e), g.recip(g.add(e, k(1))))
			return g.mul(t, t)
		}
	})
	grad(g, "gelu", "Phi(x) + x*phi(x), phi the normal density and Phi its integral", func(func(int) V) func(V) V {
		// Phi(-a) - a phi(a) = e^(-a^2/2) (t ndtrP(t) - a/sqrt(2 pi)), a = |x|.
		lim := g.atMost(14.5)
		return func(x V) V {
			a := lim(g.abs(x))
			s, r := g.reduce(g.mul(g.mul(a, a), k(-0.5)), 1)
			e := g.ldexp(g.expR(r), s)
			t := g.recip(g.fma(a, g.copy(k(0.25)), k(1)))
			w := g.mul(e, g.fnma(a, k(1/math.Sqrt(2*math.Pi)), g.mul(t, g.poly(t, ndtrP...))))
			return g.pick(g.cmp(x, lt, k(0)), w, g.sub(g.copy(k(1)), w))
		}
	})
	grad(g, "geluTanh", "s + x*s*(1-s)*w', w = sqrt(8/pi)*(x + 0.044715*x^3), s = 1/(1 + e^-w)", func(func(int) V) func(V) V {
		clamp, lim := g.clamps(-12, 12), g.atMost(104)
		const c1, c2 = 1.595769121605730711759784239737527, 0.07135481627260024876373875227986354
		return func(x V) V {
			c := clamp(x)
			q := g.mul(c, c)
			w := g.mul(c, g.fma(q, g.copy(k(c2)), k(c1)))
			s, slope := g.logisticParts(w, lim)
			dw := g.fma(q, g.copy(k(3*c2)), k(c1))
			return g.fma(g.mul(c, slope), dw, s)
		}
	})
	grad(g, "softsign", "1/(1 + |x|)^2", func(func(int) V) func(V) V {
		return func(x V) V {
			r := g.div(g.copy(k(1)), g.add(g.abs(x), k(1)))
			return g.mul(r, r)
		}
	})
	grad(g, "erf", "2/sqrt(pi)*e^(-x^2)", func(func(int) V) func(V) V {
		lim := g.atMost(104)
		return func(x V) V { return g.mul(g.decay(g.mul(x, x), lim), k(2/math.SqrtPi)) }
	})
}

// elementaryGrads writes those of powers, exponentials and logarithms.
func elementaryGrads(g *gen) {
	grad(g, "scale", "a*x", func(param func(int) V) func(V) V {
		a := param(0)
		return func(x V) V { return g.mul(a, x) }
	})
	grad(g, "exp", "a*e^x", func(param func(int) V) func(V) V {
		a, clamp := param(0), g.clamps(-104, 89)
		return func(x V) V {
			s, r := g.reduce(clamp(x), 1)
			return g.mul(a, g.ldexp(g.expR(r), s))
		}
	})
	grad(g, "over", "x + b < 0 ? NaN : a/(x + b)", func(param func(int) V) func(V) V {
		a, b := param(0), param(1)
		return func(x V) V {
			t := g.add(x, b)
			return g.pick(g.cmp(t, lt, k(0)), nan, g.div(a, t))
		}
	})
	grad(g, "sqrt", "1/(2*sqrt(x))", func(func(int) V) func(V) V {
		return func(x V) V { return g.div(g.copy(k(0.5)), g.sqrt(x)) }
	})
	grad(g, "rsqrt", "-1/(2*x*sqrt(x))", func(func(int) V) func(V) V {
		return func(x V) V { return g.div(g.div(g.copy(k(-0.5)), g.sqrt(x)), x) }
	})
	grad(g, "reciprocal", "-1/x^2", func(func(int) V) func(V) V {
		return func(x V) V {
			r := g.div(g.copy(k(1)), x)
			return g.mul(r, g.xor(r, signBit))
		}
	})
}

// ternaryGrads writes parts of the gradients of functions of two arrays.
func ternaryGrads(g *gen) {
	ternary := func(name, formula string, f func(dy, x, y V) V) {
		gradTernaryNames = addName(gradTernaryNames, name)
		full := "grad" + strings.ToUpper(name[:1]) + name[1:]
		stream(g, full, "sets dst = "+formula+".", []string{"dy", "x", "y"}, func(func(int) V) func([]V) V {
			return func(xs []V) V { return f(xs[0], xs[1], xs[2]) }
		}, nil)
	}
	ternary("lesser", "x < y ? dy : x = y ? dy/2 : dy*0", func(dy, x, y V) V {
		d := g.keep(g.cmp(x, eq, y), g.copy(k(0.5)))
		return g.mul(dy, g.pick(g.cmp(x, lt, y), k(1), d))
	})
	ternary("equal", "x = y ? dy : 0", func(dy, x, y V) V { return g.keep(g.cmp(x, eq, y), dy) })
	ternary("prelu", "x > 0 ? dy : dy*y", func(dy, x, y V) V {
		return g.pick(g.cmp(x, gt, k(0)), dy, g.mul(dy, y))
	})
	ternary("preluSlope", "x > 0 ? dy*0 : dy*x; y is not looked at", func(dy, x, y V) V {
		return g.mul(dy, g.pick(g.cmp(x, gt, k(0)), k(0), x))
	})
}

// gradTables writes the Go tables of the gradients' kernels of all widths.
func gradTables(ws ...width) {
	var b bytes.Buffer
	b.WriteString("// Code generated by go generate (see gen). DO NOT EDIT.\n\n//go:build !purego\n\npackage simd\n")
	for _, w := range ws {
		fmt.Fprintf(&b, "\nvar grad%s = [...]binaryFunc{\n", w.name)
		for _, n := range gradNames {
			n = strings.ToUpper(n[:1]) + n[1:]
			fmt.Fprintf(&b, "\tGrad%s: grad%s%s,\n", n, n, w.name)
		}
		fmt.Fprintf(&b, "}\n\nvar gradTernary%s = [...]ternaryFunc{\n", w.name)
		for _, n := range gradTernaryNames {
			n = strings.ToUpper(n[:1]) + n[1:]
			fmt.Fprintf(&b, "\tTerGrad%s: grad%s%s,\n", n, n, w.name)
		}
		b.WriteString("}\n")
	}
	text, err := format.Source(b.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outDir, "grad_tables_amd64.go"), text, 0o644); err != nil {
		log.Fatal(err)
	}
}

// repeat writes dst[2*i] = dst[2*i+1] = a*src[i] for i < n, a multiple of the lanes.
func repeat(g *gen) {
	full := "repeatPairs" + g.w.name
	g.fn(full, "func(dst, src *float32, n int, a float32)", full+" writes a times each of n floats twice; n is a multiple of the lanes, and not 0.")
	dst := g.arg("dst")
	src := g.arg("src")
	n := g.arg("n")
	L := g.w.lanes
	a := g.scalar("a")
	index := g.StaticGlobal("pairs" + g.w.name)
	g.DataAttributes(rodata)
	for i := range 2 * L {
		g.AppendDatum(operand.U32(uint32(i / 2)))
	}
	low, high := g.new(), g.new()
	g.VMOVUPS(index, low)
	g.VMOVUPS(index.Offset(g.bytes()), high)
	loop := g.label("pairs")
	g.Label(loop)
	for half, by := range []V{low, high} {
		v := g.new()
		g.VPERMPS(operand.Mem{Base: src}, by, v)
		g.VMULPS(a, v, v)
		g.VMOVUPS(v, operand.Mem{Base: dst, Disp: half * g.bytes()})
	}
	g.ADDQ(operand.I32(4*L), src)
	g.ADDQ(operand.I32(8*L), dst)
	g.SUBQ(operand.I8(int8(L)), n)
	g.JG(operand.LabelRef(loop))
	g.ret()
}
