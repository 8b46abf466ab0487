package wgsl

import "math"

// Arithmetic is one way in which a device may compute. The zero value is IEEE
// arithmetic with fma as a product and a sum.
type Arithmetic struct {
	Fused   bool // fma rounds once
	Flush   bool // subnormal operands and results are zero
	Inexact bool // divisions are off by up to 2 ULP, and 0 for divisors over 2^126; inverseSqrt is off by up to 2 ULP
	DropNaN bool // min, max and clamp of a NaN and a number are the number
}

// in reads an operand.
func (a *Arithmetic) in(bits uint32) float32 {
	if a.Flush && bits&0x7f800000 == 0 {
		bits &= 1 << 31
	}
	return math.Float32frombits(bits)
}

// out stores a result.
func (a *Arithmetic) out(x float32) uint32 {
	bits := math.Float32bits(x)
	if a.Flush && bits&0x7f800000 == 0 {
		bits &= 1 << 31
	}
	return bits
}

// blur moves a normal result by -2..2 units in the last place, by a hash of its
// own bits. Powers of two stay: no divider misses 1/1.
func (a *Arithmetic) blur(bits uint32) uint32 {
	m := bits & 0x7fffffff
	if !a.Inexact || m < 0x00800010 || m > 0x7f7ffff0 || m&0x7fffff == 0 {
		return bits
	}
	h := bits * 2654435761
	h = (h ^ h>>15) * 2246822519
	return bits + (h^h>>13)%5 - 2
}

func (a *Arithmetic) divide(x, y float32) uint32 {
	if a.Inexact && (y > 0x1p126 || y < -0x1p126) {
		return 0
	}
	return a.blur(a.out(x / y))
}

func (a *Arithmetic) fma(x, y, z float32) uint32 {
	if a.Fused {
		return a.out(float32(math.FMA(float64(x), float64(y), float64(z))))
	}
	return a.out(a.in(a.out(float32(x*y))) + z)
}

// choose is min or max, pick saying whether y is it.
func (a *Arithmetic) choose(x, y float32, pick bool) uint32 {
	switch {
	case x != x && y != y:
	case x != x || y != y:
		if (x != x) == a.DropNaN {
			return a.out(y)
		}
	case pick:
		return a.out(y)
	}
	return a.out(x)
}

func truth(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// operator returns a binary operator, nil where there is none.
func (a *Arithmetic) operator(op string, t Type) func(x, y uint32) uint32 {
	if t == F32 {
		arith := func(g func(x, y float32) float32) func(x, y uint32) uint32 {
			return func(x, y uint32) uint32 { return a.out(g(a.in(x), a.in(y))) }
		}
		test := func(g func(x, y float32) bool) func(x, y uint32) uint32 {
			return func(x, y uint32) uint32 { return truth(g(a.in(x), a.in(y))) }
		}
		return map[string]func(x, y uint32) uint32{
			"+":  arith(func(x, y float32) float32 { return x + y }),
			"-":  arith(func(x, y float32) float32 { return x - y }),
			"*":  arith(func(x, y float32) float32 { return x * y }),
			"/":  func(x, y uint32) uint32 { return a.divide(a.in(x), a.in(y)) },
			"<":  test(func(x, y float32) bool { return x < y }),
			">":  test(func(x, y float32) bool { return x > y }),
			"<=": test(func(x, y float32) bool { return x <= y }),
			">=": test(func(x, y float32) bool { return x >= y }),
			"==": test(func(x, y float32) bool { return x == y }),
			"!=": test(func(x, y float32) bool { return x != y }),
		}[op]
	}
	common := map[string]func(x, y uint32) uint32{
		"+": func(x, y uint32) uint32 { return x + y },
		"-": func(x, y uint32) uint32 { return x - y },
		"*": func(x, y uint32) uint32 { return x * y },
		"&": func(x, y uint32) uint32 { return x & y }, "&&": func(x, y uint32) uint32 { return x & y },
		"|": func(x, y uint32) uint32 { return x | y }, "||": func(x, y uint32) uint32 { return x | y },
		"^":  func(x, y uint32) uint32 { return x ^ y },
		"<<": func(x, y uint32) uint32 { return x << (y & 31) },
		"==": func(x, y uint32) uint32 { return truth(x == y) },
		"!=": func(x, y uint32) uint32 { return truth(x != y) },
		">>": func(x, y uint32) uint32 { return x >> (y & 31) },
		"<":  func(x, y uint32) uint32 { return truth(x < y) },
		">":  func(x, y uint32) uint32 { return truth(x > y) },
		"<=": func(x, y uint32) uint32 { return truth(x <= y) },
		">=": func(x, y uint32) uint32 { return truth(x >= y) },
	}
	if t == I32 {
		common[">>"] = func(x, y uint32) uint32 { return uint32(int32(x) >> (y & 31)) }
		common["<"] = func(x, y uint32) uint32 { return truth(int32(x) < int32(y)) }
		common[">"] = func(x, y uint32) uint32 { return truth(int32(x) > int32(y)) }
		common["<="] = func(x, y uint32) uint32 { return truth(int32(x) <= int32(y)) }
		common[">="] = func(x, y uint32) uint32 { return truth(int32(x) >= int32(y)) }
	}
	return common[op]
}

// builtin returns a built-in function and the type of its result, nil where
// there is none.
func (a *Arithmetic) builtin(name string, args []expr) (Type, func(x, y, z uint32) uint32) {
	t := args[0].typ
	switch name {
	case "f32":
		switch t {
		case I32:
			return F32, func(x, _, _ uint32) uint32 { return a.out(float32(int32(x))) }
		case U32:
			return F32, func(x, _, _ uint32) uint32 { return a.out(float32(x)) }
		}
	case "i32", "u32":
		to := typeNames[name]
		if t == F32 { // out of range anything may come out: here, zero
			return to, func(x, _, _ uint32) uint32 {
				v := float64(a.in(x))
				if v > -0x1p31 && v < 0x1p32 {
					return uint32(int64(v))
				}
				return 0
			}
		}
		return to, func(x, _, _ uint32) uint32 { return x }
	}
	if t != F32 {
		switch name {
		case "min":
			if t == I32 {
				return t, func(x, y, _ uint32) uint32 { return uint32(min(int32(x), int32(y))) }
			}
			return t, func(x, y, _ uint32) uint32 { return min(x, y) }
		case "max":
			if t == I32 {
				return t, func(x, y, _ uint32) uint32 { return uint32(max(int32(x), int32(y))) }
			}
			return t, func(x, y, _ uint32) uint32 { return max(x, y) }
		case "clamp":
			if t == I32 {
				return t, func(x, y, z uint32) uint32 { return uint32(min(max(int32(x), int32(y)), int32(z))) }
			}
		}
		return t, nil
	}
	lower := func(x, y uint32) uint32 { return a.choose(a.in(x), a.in(y), a.in(y) < a.in(x)) }
	upper := func(x, y uint32) uint32 { return a.choose(a.in(x), a.in(y), a.in(y) > a.in(x)) }
	whole := func(g func(float64) float64) (Type, func(x, y, z uint32) uint32) {
		return F32, func(x, _, _ uint32) uint32 { return a.out(float32(g(float64(a.in(x))))) }
	}
	switch name {
	case "fma":
		return F32, func(x, y, z uint32) uint32 { return a.fma(a.in(x), a.in(y), a.in(z)) }
	case "inverseSqrt":
		return F32, func(x, _, _ uint32) uint32 { return a.blur(a.out(float32(1 / math.Sqrt(float64(a.in(x)))))) }
	case "abs":
		return F32, func(x, _, _ uint32) uint32 { return x &^ (1 << 31) }
	case "min":
		return F32, func(x, y, _ uint32) uint32 { return lower(x, y) }
	case "max":
		return F32, func(x, y, _ uint32) uint32 { return upper(x, y) }
	case "clamp":
		return F32, func(x, y, z uint32) uint32 { return lower(upper(x, y), z) }
	case "round":
		return whole(math.RoundToEven)
	case "floor":
		return whole(math.Floor)
	case "ceil":
		return whole(math.Ceil)
	case "sign":
		return F32, func(x, _, _ uint32) uint32 {
			v := a.in(x)
			return a.out(float32(truth(v > 0)) - float32(truth(v < 0)))
		}
	}
	return F32, nil
}
