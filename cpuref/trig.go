package cpuref

import (
	"math"
	"math/bits"
)

// twoOverPi holds the binary digits of 2/pi behind the point: enough for the
// largest float64.
var twoOverPi = [...]uint64{
	0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
	0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
	0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
	0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
	0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
}

// digits64 returns the 64 binary digits of 2/pi from place p on, 0 being the
// first behind the point. Digits before the point are 0.
func digits64(p int) uint64 {
	word := func(i int) uint64 {
		if i < 0 || i >= len(twoOverPi) {
			return 0
		}
		return twoOverPi[i]
	}
	i, s := p>>6, uint(p&63)
	if s == 0 {
		return word(i)
	}
	return word(i)<<s | word(i+1)>>(64-s)
}

// reduceHalfPi returns q and r with x = q*pi/2 + r, up to a multiple of 2*pi in
// the first term, and |r| <= pi/4 right to about 3e-16 of itself for every
// finite x. It is the method of Payne and Hanek (Radian reduction for
// trigonometric functions, 1983): of the product x*(2/pi) only the digits of
// 2/pi that reach neither into the multiples of 4 nor below the wanted places
// are multiplied. For an infinity r is NaN.
func reduceHalfPi(x float64) (q uint, r float64) {
	ax := math.Abs(x)
	if ax <= math.Pi/4 {
		return 0, x
	}
	if !(ax <= math.MaxFloat64) {
		return 0, math.NaN()
	}
	frac, e := math.Frexp(ax)
	m, e := uint64(frac*0x1p53), e-53 // ax = m * 2^e
	// Window of 192 digits from place e-2 on, so that its product with m, taken
	// modulo 2^192, is x*(2/pi) modulo 4 in units of 2^-190.
	f0, f1, f2 := digits64(e-2), digits64(e+62), digits64(e+126)
	p2hi, p2 := bits.Mul64(m, f2)
	p1hi, p1 := bits.Mul64(m, f1)
	p1, carry := bits.Add64(p1, p2hi, 0)
	p0, _ := bits.Add64(m*f0, p1hi, carry)
	q = uint(p0 >> 62)
	// The fraction, 190 digits, to the top of three words.
	p0, p1, p2 = p0<<2|p1>>62, p1<<2|p2>>62, p2<<2
	negative := p0>>63 != 0
	if negative { // more than half: go on to the next quadrant
		q++
		var borrow uint64
		p2, borrow = bits.Sub64(0, p2, 0)
		p1, borrow = bits.Sub64(0, p1, borrow)
		p0, _ = bits.Sub64(0, p0, borrow)
	}
	scale := 0x1p-64
	if p0 == 0 {
		p0, p1, p2, scale = p1, p2, 0, scale*0x1p-64
	}
	if s := uint(bits.LeadingZeros64(p0)); s > 0 && s < 64 {
		p0 = p0<<s | p1>>(64-s)
		scale = math.Ldexp(scale, -int(s))
	}
	r = float64(p0) * scale * (math.Pi / 2)
	if negative {
		r = -r
	}
	if x < 0 {
		return -q, -r
	}
	return q, r
}

// tanQuadrant is tan(r) for |r| <= pi/4. Go's own takes r for it up to 1e-7, where
// that is off by r^2/3, some units of a float64's last place.
func tanQuadrant(r float64) float64 {
	if math.Abs(r) < 1e-6 {
		return r + r*r*r/3 // the next term is 2/15 r^5
	}
	return math.Tan(r)
}

// sinQuadrant is sin(q*pi/2 + r) for |r| <= pi/4.
func sinQuadrant(q uint, r float64) float64 {
	var v float64
	if q&1 == 0 {
		v = math.Sin(r)
	} else {
		v = math.Cos(r)
	}
	if q&2 != 0 {
		return -v
	}
	return v
}
