package cpuref

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/internal/testseed"
	"github.com/kansu-dev/kansu/spec"
)

// prec is the precision of the textbook formulas below, in bits: enough for
// x-tanh(x) at 1e-20 and for sin at 2^1000 without a thought about cancelling.
const prec = 1500

// num is a big.Float with operators that return.
type num struct{ *big.Float }

func of(v float64) num        { return num{new(big.Float).SetPrec(prec).SetFloat64(v)} }
func zero() *big.Float        { return new(big.Float).SetPrec(prec) }
func (a num) add(b num) num   { return num{zero().Add(a.Float, b.Float)} }
func (a num) sub(b num) num   { return num{zero().Sub(a.Float, b.Float)} }
func (a num) mul(b num) num   { return num{zero().Mul(a.Float, b.Float)} }
func (a num) div(b num) num   { return num{zero().Quo(a.Float, b.Float)} }
func (a num) neg() num        { return num{zero().Neg(a.Float)} }
func (a num) sqrt() num       { return num{zero().Sqrt(a.Float)} }
func (a num) shift(n int) num { return num{zero().SetMantExp(a.Float, n)} }
func (a num) float() float64  { f, _ := a.Float64(); return f }
func (a num) tiny() bool      { return a.Sign() == 0 || a.MantExp(nil) < -prec-20 }
func (a num) inverse() num    { return of(1).div(a) }
func (a num) exp() num {
	k := max(0, a.MantExp(nil)+10)
	r := a.shift(-k)
	sum, term := of(1), of(1)
	for n := 1.0; !term.tiny(); n++ {
		term = term.mul(r).div(of(n))
		sum = sum.add(term)
	}
	for range k {
		sum = sum.mul(sum)
	}
	return sum
}

func (a num) log() num {
	e := a.MantExp(nil)
	m := a.shift(-e)
	y := of(math.Log(m.float()))
	for range 5 { // Halley: triples the digits
		ey := y.exp()
		y = y.add(m.sub(ey).div(m.add(ey)).shift(1))
	}
	return y.add(of(float64(e)).mul(ln2()))
}

var ln2Value num

func ln2() num {
	if ln2Value.Float == nil { // log(2) = -log(1/2), without the exponent
		y := of(-math.Ln2)
		for range 5 {
			ey := y.exp()
			y = y.add(of(0.5).sub(ey).div(of(0.5).add(ey)).shift(1))
		}
		ln2Value = y.neg()
	}
	return ln2Value
}

// arctanInverse is atan(1/n).
func arctanInverse(n float64) num {
	sum, power := of(0), of(1).div(of(n))
	for k := 1.0; !power.tiny(); k += 2 {
		t := power.div(of(k))
		if math.Mod(k, 4) == 3 {
			t = t.neg()
		}
		sum = sum.add(t)
		power = power.div(of(n * n))
	}
	return sum
}

var piValue num

func pi() num {
	if piValue.Float == nil { // Machin, 1706
		piValue = arctanInverse(5).shift(2).sub(arctanInverse(239)).shift(2)
	}
	return piValue
}

func (a num) atan() num {
	if a.Sign() < 0 {
		return a.neg().atan().neg()
	}
	if a.Cmp(of(1).Float) > 0 {
		return pi().shift(-1).sub(a.inverse().atan())
	}
	const halvings = 6 // atan(a) = 2 atan(a/(1+sqrt(1+a^2)))
	for range halvings {
		a = a.div(of(1).add(of(1).add(a.mul(a)).sqrt()))
	}
	sum, power, square := of(0), a, a.mul(a).neg()
	for k := 1.0; !power.tiny(); k += 2 {
		sum = sum.add(power.div(of(k)))
		power = power.mul(square)
	}
	return sum.shift(halvings)
}

func (a num) sin() num {
	turns, _ := a.div(pi().shift(1)).Int(nil)
	a = a.sub(num{zero().SetInt(turns)}.mul(pi().shift(1)))
	sum, term, square := of(0), a, a.mul(a).neg()
	for n := 1.0; !term.tiny(); n += 2 {
		sum = sum.add(term)
		term = term.mul(square).div(of((n + 1) * (n + 2)))
	}
	return sum
}

func (a num) cos() num { return a.add(pi().shift(-1)).sin() }

func (a num) erf() num {
	sum, term, square := of(0), a, a.mul(a).neg()
	for n := 0.0; !term.tiny() || n < 400; n++ {
		sum = sum.add(term.div(of(2*n + 1)))
		term = term.mul(square).div(of(n + 1))
	}
	return sum.shift(1).div(pi().sqrt())
}

func (a num) tanh() num    { e := a.shift(1).exp(); return e.sub(of(1)).div(e.add(of(1))) }
func (a num) sigmoid() num { return of(1).add(a.neg().exp()).inverse() }

// textbook has each function that is more than a choice or one operation, as
// it is written in a book.
var textbook = map[spec.Pointwise]func(f spec.Activation, x num) num{
	spec.ELU: func(f spec.Activation, x num) num {
		if x.Sign() > 0 {
			return x
		}
		return of(float64(f.A)).mul(x.exp().sub(of(1)))
	},
	spec.CELU: func(f spec.Activation, x num) num {
		if x.Sign() > 0 {
			return x
		}
		a := of(float64(f.A))
		return a.mul(x.div(a).exp().sub(of(1)))
	},
	spec.SELU: func(_ spec.Activation, x num) num {
		scale, _, _ := big.ParseFloat("1.0507009873554804934193349852946", 10, prec, big.ToNearestEven)
		alpha, _, _ := big.ParseFloat("1.6732632423543772848170429916717", 10, prec, big.ToNearestEven)
		if x.Sign() > 0 {
			return x.mul(num{scale})
		}
		return x.exp().sub(of(1)).mul(num{alpha}).mul(num{scale})
	},
	spec.GELU: func(_ spec.Activation, x num) num {
		return x.mul(of(1).add(x.div(of(2).sqrt()).erf())).shift(-1)
	},
	spec.GELUTanh: func(_ spec.Activation, x num) num {
		c, _, _ := big.ParseFloat("0.044715", 10, prec, big.ToNearestEven)
		u := of(2).div(pi()).sqrt().mul(x.add(num{c}.mul(x).mul(x).mul(x)))
		return x.mul(of(1).add(u.tanh())).shift(-1)
	},
	spec.SiLU:  func(_ spec.Activation, x num) num { return x.mul(x.sigmoid()) },
	spec.Swish: func(f spec.Activation, x num) num { return x.mul(x.mul(of(float64(f.A))).sigmoid()) },
	spec.Mish: func(_ spec.Activation, x num) num {
		return x.mul(of(1).add(x.exp()).log().tanh())
	},
	spec.Sigmoid:    func(_ spec.Activation, x num) num { return x.sigmoid() },
	spec.LogSigmoid: func(_ spec.Activation, x num) num { return of(1).add(x.neg().exp()).log().neg() },
	spec.Tanh:       func(_ spec.Activation, x num) num { return x.tanh() },
	spec.TanhShrink: func(_ spec.Activation, x num) num { return x.sub(x.tanh()) },
	spec.Softplus: func(f spec.Activation, x num) num {
		a := of(float64(f.A))
		return of(1).add(x.mul(a).exp()).log().div(a)
	},
	spec.Sin:  func(_ spec.Activation, x num) num { return x.sin() },
	spec.Cos:  func(_ spec.Activation, x num) num { return x.cos() },
	spec.Tan:  func(_ spec.Activation, x num) num { return x.sin().div(x.cos()) },
	spec.Asin: func(_ spec.Activation, x num) num { return x.div(of(1).sub(x.mul(x)).sqrt()).atan() },
	spec.Acos: func(_ spec.Activation, x num) num {
		return pi().shift(-1).sub(x.div(of(1).sub(x.mul(x)).sqrt()).atan())
	},
	spec.Atan:  func(_ spec.Activation, x num) num { return x.atan() },
	spec.Sinh:  func(_ spec.Activation, x num) num { return x.exp().sub(x.neg().exp()).shift(-1) },
	spec.Cosh:  func(_ spec.Activation, x num) num { return x.exp().add(x.neg().exp()).shift(-1) },
	spec.Asinh: func(_ spec.Activation, x num) num { return x.add(x.mul(x).add(of(1)).sqrt()).log() },
	spec.Acosh: func(_ spec.Activation, x num) num { return x.add(x.mul(x).sub(of(1)).sqrt()).log() },
	spec.Atanh: func(_ spec.Activation, x num) num { return of(1).add(x).div(of(1).sub(x)).log().shift(-1) },
	spec.Exp:   func(_ spec.Activation, x num) num { return x.exp() },
	spec.Exp2:  func(_ spec.Activation, x num) num { return x.mul(ln2()).exp() },
	spec.Expm1: func(_ spec.Activation, x num) num { return x.exp().sub(of(1)) },
	spec.Log:   func(_ spec.Activation, x num) num { return x.log() },
	spec.Log2:  func(_ spec.Activation, x num) num { return x.log().div(ln2()) },
	spec.Log1p: func(_ spec.Activation, x num) num { return of(1).add(x).log() },
	spec.Rsqrt: func(_ spec.Activation, x num) num { return x.sqrt().inverse() },
	spec.Erf:   func(_ spec.Activation, x num) num { return x.erf() },
}

// textbookDomain is where the formulas above are evaluated.
func textbookDomain(f spec.Pointwise) (least, most float64) {
	switch f {
	case spec.Sin, spec.Cos, spec.Tan, spec.Atan:
		return -math.MaxFloat32, math.MaxFloat32
	case spec.Asin, spec.Acos, spec.Atanh:
		return -1, 1
	case spec.Acosh:
		return 1, math.MaxFloat32
	case spec.Log, spec.Log2, spec.Rsqrt:
		return 0, math.MaxFloat32
	case spec.Log1p:
		return -1, math.MaxFloat32
	case spec.Asinh:
		return -1e20, 1e20
	case spec.Exp2:
		return -160, 140
	case spec.GELU, spec.GELUTanh, spec.Erf:
		return -14.5, 12
	}
	return -110, 100
}

// samples draws float32 values between the bounds: of every magnitude, and
// where the functions change their form.
func samples(r *rand.Rand, n int, least, most float64) []float64 {
	var xs []float64
	for len(xs) < n {
		var x float32
		switch r.IntN(4) {
		case 0:
			x = math.Float32frombits(r.Uint32())
		case 1:
			x = float32(r.NormFloat64() * 2)
		case 2:
			x = float32(least + (most-least)*r.Float64())
		default: // next to the integers and the multiples of pi/2
			x = float32(float64(r.IntN(400)-200) * math.Pi / 2)
			if r.IntN(2) == 0 {
				x = float32(r.IntN(9) - 4)
			}
			x = math.Float32frombits(math.Float32bits(x) + uint32(r.IntN(9)) - 4)
		}
		if v := float64(x); v > least && v < most && math.Abs(v) > 1e-35 {
			xs = append(xs, v)
		}
	}
	return xs
}

func TestPointwise64AgainstTextbook(t *testing.T) {
	r := rand.New(rand.NewPCG(testseed.Of(t, 1), 0))
	for _, p := range spec.Pointwises() {
		formula, ok := textbook[p]
		if !ok {
			continue
		}
		fs := []spec.Activation{p.Default()}
		if p.Params() > 0 {
			fs = append(fs, spec.Activation{Func: p, A: 2.7, B: float32(math.Inf(1))}, spec.Activation{Func: p, A: 0.3, B: float32(math.Inf(1))})
		}
		for _, f := range fs {
			if p == spec.Softplus {
				f.B = float32(math.Inf(1)) // the book knows no threshold
			}
			worst, at := 0.0, 0.0
			least, most := textbookDomain(p)
			for _, x := range samples(r, 60, least, most) {
				want := formula(f, of(x)).float()
				got := Pointwise64(f, x)
				if math.Abs(want) < 1e-300 || math.IsInf(want, 0) {
					continue
				}
				if e := math.Abs(got-want) / math.Abs(want); !(e <= worst) {
					worst, at = e, x
				}
			}
			t.Logf("%-16v relative error %.2g at %v", f, worst, at)
			assert.LessOrEqual(t, worst, 2e-15, "%v at %v", f, at)
		}
	}
}

// The tangent next to 0 and to its poles, where Go's own is short of its cube.
func TestTanOfLittle(t *testing.T) {
	for _, x := range []float64{8.767501213924334e-08, 9.9e-8, -9.99e-8, 1e-7, 1.01e-7, 5e-7, -9.9e-7, 1e-6, 1.1e-6, 1e-20, 0.7} {
		want := textbook[spec.Tan](spec.Tan.Default(), of(x)).float()
		assert.InEpsilon(t, want, Pointwise64(spec.Tan.Default(), x), 4e-16, "%v", x)
		assert.InEpsilon(t, want, tanQuadrant(x), 4e-16, "%v", x)
	}
}

// The float32 nearest to a multiple of pi/2 of all, and neighbours of others.
func TestReduceHalfPi(t *testing.T) {
	for _, x := range []float64{16367173 * 0x1p72, 1e308, math.MaxFloat64, 3, 1e5, 0x1p127, 6381956970095103 * 0x1p797, 11, -11, 0.8, -3} {
		q, r := reduceHalfPi(x)
		want := of(x).sin().float()
		assert.InEpsilon(t, want, sinQuadrant(q, r), 1e-15, "sin(%v)", x)
		want = of(x).cos().float()
		assert.InEpsilon(t, want, sinQuadrant(q+1, r), 1e-15, "cos(%v)", x)
	}
	// The table itself.
	digits := pi().shift(-1).inverse().shift(64 * len(twoOverPi))
	want, _ := digits.Int(nil)
	got := new(big.Int)
	for _, w := range twoOverPi {
		got.Or(got.Lsh(got, 64), new(big.Int).SetUint64(w))
	}
	require.Equal(t, want.Text(16), got.Text(16))
}

func TestPointwise64Specials(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	nan32 := float32(nan)
	for _, c := range []struct {
		f       spec.Activation
		x, want float64
	}{
		{spec.SiLU.Default(), -inf, 0}, {spec.SiLU.Default(), inf, inf},
		{spec.Activation{Func: spec.Swish, A: -2}, inf, 0}, {spec.Activation{Func: spec.Swish}, -inf, -inf},
		{spec.GELU.Default(), -inf, 0}, {spec.GELU.Default(), inf, inf},
		{spec.GELUTanh.Default(), -inf, 0}, {spec.GELUTanh.Default(), inf, inf},
		{spec.Mish.Default(), -inf, 0}, {spec.Mish.Default(), inf, inf},
		{spec.HardSwish.Default(), -inf, 0}, {spec.HardSwish.Default(), inf, inf},
		{spec.Softsign.Default(), -inf, -1}, {spec.TanhShrink.Default(), -inf, -inf},
		{spec.LogSigmoid.Default(), -inf, -inf}, {spec.LogSigmoid.Default(), inf, 0},
		{spec.Softplus.Default(), -inf, 0}, {spec.Softplus.Default(), inf, inf},
		{spec.Sin.Default(), inf, nan}, {spec.Cos.Default(), -inf, nan}, {spec.Tan.Default(), inf, nan},
		{spec.Log.Default(), -1, nan}, {spec.Log.Default(), 0, -inf}, {spec.Log1p.Default(), -1, -inf},
		{spec.Asin.Default(), 1.5, nan}, {spec.Acos.Default(), -inf, nan}, {spec.Acos.Default(), 1, 0},
		{spec.Atanh.Default(), 1, inf}, {spec.Acosh.Default(), 0.5, nan}, {spec.Acosh.Default(), inf, inf},
		{spec.Asinh.Default(), -inf, -inf}, {spec.Sqrt.Default(), -1, nan}, {spec.Rsqrt.Default(), 0, inf},
		{spec.Reciprocal.Default(), -inf, 0}, {spec.Round.Default(), 2.5, 2}, {spec.Round.Default(), -1.5, -2},
		{spec.Activation{Func: spec.HardTanh, A: nan32, B: 1}, -inf, -inf},
		{spec.Activation{Func: spec.HardTanh, A: 2, B: 1}, 5, 1},
		{spec.Activation{Func: spec.HardTanh, A: 2, B: 1}, -5, 1},
		{spec.Activation{Func: spec.Softplus, A: 1, B: 3}, 3.5, 3.5},
		{spec.Activation{Func: spec.Softplus, A: -1, B: 3}, -3.5, -3.5},
		{spec.Activation{Func: spec.Shrink, A: 1, B: 0.25}, -2, -1.75},
		{spec.Activation{Func: spec.Threshold, A: 1, B: 9}, 1, 9},
		{spec.Activation{Func: spec.HardShrink, A: 1}, -1, 0},
	} {
		got := Pointwise64(c.f, c.x)
		assert.True(t, got == c.want || math.IsNaN(got) && math.IsNaN(c.want), "%v at %v: got %v, want %v", c.f, c.x, got, c.want)
	}
	for _, p := range spec.Pointwises() {
		assert.True(t, math.IsNaN(Pointwise64(p.Default(), nan)), "%v of NaN", p)
		assert.True(t, math.IsNaN(PointwiseDerivative64(p.Default(), nan)), "derivative of %v at NaN", p)
	}
}

// The derivative against a central difference, away from kinks and jumps.
func TestPointwiseDerivative64(t *testing.T) {
	for _, p := range spec.Pointwises() {
		f := p.Default()
		if p == spec.HardTanh {
			f.A, f.B = float32(math.NaN()), 1.1
		}
		for _, x := range []float64{-30.3, -4.2, -2.4, -1.13, -0.83, -0.21, 0.17, 0.37, 0.77, 1.23, 2.2, 3.6, 25.2} {
			const h = 1e-5
			lo, hi := Pointwise64(f, x-h), Pointwise64(f, x+h)
			want := (hi - lo) / (2 * h)
			got := PointwiseDerivative64(f, x)
			if math.IsNaN(want) {
				assert.True(t, math.IsNaN(got), "%v at %v: got %v", f, x, got)
				continue
			}
			tol := 1e-7 * (1 + math.Abs(want) + math.Max(math.Abs(lo), math.Abs(hi)))
			assert.InDelta(t, want, got, tol, "%v at %v", f, x)
		}
	}
}

func TestPointwiseDerivative64Kinks(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		f       spec.Activation
		x, want float64
	}{
		{spec.ReLU.Default(), 0, 0}, {spec.Activation{Func: spec.LeakyReLU, A: 0.25}, 0, 0.25},
		{spec.ReLU6.Default(), 6, 0}, {spec.ReLU6.Default(), 0, 0}, {spec.HardTanh.Default(), 1, 0}, {spec.HardTanh.Default(), -1, 0},
		{spec.Activation{Func: spec.ELU, A: 2}, 0, 2}, {spec.Activation{Func: spec.CELU, A: 2}, 0, 1},
		{spec.HardSwish.Default(), 3, 1.5}, {spec.HardSwish.Default(), -3, -0.5},
		{spec.HardShrink.Default(), 0.5, 0}, {spec.SoftShrink.Default(), -0.5, 0}, {spec.Threshold.Default(), 1, 0},
		{spec.Abs.Default(), 0, 0}, {spec.Sign.Default(), 0, 0}, {spec.Floor.Default(), 1, 0},
		{spec.GELU.Default(), inf, 1}, {spec.GELUTanh.Default(), -inf, 0}, {spec.SiLU.Default(), inf, 1},
		{spec.Mish.Default(), inf, 1}, {spec.Mish.Default(), -inf, 0}, {spec.Tanh.Default(), inf, 0},
		{spec.Activation{Func: spec.Swish}, 3, 0.5}, {spec.Softsign.Default(), -inf, 0}, {spec.Sqrt.Default(), 0, inf},
	} {
		assert.Equal(t, c.want, PointwiseDerivative64(c.f, c.x), "%v at %v", c.f, c.x)
	}
}
