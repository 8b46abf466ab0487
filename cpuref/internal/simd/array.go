package simd

import "math"

// Binary is a function of two arrays, element by element.
type Binary uint8

// The functions of two arrays.
const (
	BinAdd       Binary = iota // x + y
	BinSub                     // x - y
	BinMul                     // x * y
	BinDiv                     // x / y
	BinMax                     // NaN where either is
	BinMin                     // likewise
	BinPrelu                   // x >= 0 ? x : y*x
	BinAxpy                    // a*x + y
	BinCenterMul               // ((x - a)*b + c)*y
	BinExpSub                  // e^(x - y), below 4 ULP
	BinLrn                     // x*(a*y + b)^(-3/4) where a*y + b is in [2^-100, 2^100]
	BinPow                     // x^y as IEEE 754's pow, below 1 ULP
)

// Ternary is a function of three arrays, element by element.
type Ternary uint8

// The functions of three arrays.
const (
	TerCenterMulAdd Ternary = iota // ((x - a)*b + c)*y + z
	TerMulAdd                      // x*y + z
	TerMulOver                     // c*x*y/(a*z + b) where a*z + b is in [2^-100, 2^100]
	TerCountEqual                  // x = y ? z + 1 : z
)

// Apply sets dst = f(x, y). All have the length of dst; dst may be x or y. For
// stream see Unary.Apply.
func (f Binary) Apply(dst, x, y []float32, a, b, c float32, stream bool) {
	n := len(dst)
	x, y = x[:n], y[:n]
	kernel := binaryKernel(f)
	if kernel == nil {
		f.portable(dst, x, y, a, b, c)
		return
	}
	for i := 0; i < n; {
		m, nt := piece(dst[i:], stream)
		kernel(&dst[i], &x[i], &y[i], m, a, b, c, nt)
		i += m
	}
}

// Apply sets dst = f(x, y, z). All have the length of dst; dst may be one of them.
func (f Ternary) Apply(dst, x, y, z []float32, a, b, c float32) {
	n := len(dst)
	x, y, z = x[:n], y[:n], z[:n]
	kernel := ternaryKernel(f)
	if kernel == nil {
		f.portable(dst, x, y, z, a, b, c)
		return
	}
	for i := 0; i < n; {
		m := min(n-i, maxCall)
		kernel(&dst[i], &x[i], &y[i], &z[i], m, a, b, c, false)
		i += m
	}
}

func (f Binary) portable(dst, x, y []float32, a, b, c float32) {
	switch f {
	case BinAdd:
		for i, v := range x {
			dst[i] = v + y[i]
		}
	case BinSub:
		for i, v := range x {
			dst[i] = v - y[i]
		}
	case BinMul:
		for i, v := range x {
			dst[i] = v * y[i]
		}
	case BinDiv:
		for i, v := range x {
			dst[i] = v / y[i]
		}
	case BinMax:
		for i, v := range x {
			dst[i] = max(v, y[i])
		}
	case BinMin:
		for i, v := range x {
			dst[i] = min(v, y[i])
		}
	case BinPrelu:
		for i, v := range x {
			if !(v >= 0) {
				v *= y[i]
			}
			dst[i] = v
		}
	case BinAxpy:
		for i, v := range x {
			dst[i] = a*v + y[i]
		}
	case BinCenterMul:
		for i, v := range x {
			dst[i] = ((v-a)*b + c) * y[i]
		}
	case BinExpSub:
		for i, v := range x {
			dst[i] = float32(math.Exp(float64(v) - float64(y[i])))
		}
	case BinLrn:
		for i, v := range x {
			s := math.Sqrt(float64(a*y[i] + b))
			dst[i] = float32(float64(v) / (s * math.Sqrt(s)))
		}
	case BinPow:
		for i, v := range x {
			dst[i] = float32(math.Pow(float64(v), float64(y[i])))
		}
	}
}

func (f Ternary) portable(dst, x, y, z []float32, a, b, c float32) {
	switch f {
	case TerCenterMulAdd:
		for i, v := range x {
			dst[i] = ((v-a)*b+c)*y[i] + z[i]
		}
	case TerMulAdd:
		for i, v := range x {
			dst[i] = v*y[i] + z[i]
		}
	case TerMulOver:
		for i, v := range x {
			dst[i] = v / (a*z[i] + b) * y[i] * c
		}
	case TerCountEqual:
		for i, v := range x {
			dst[i] = z[i]
			if v == y[i] {
				dst[i]++
			}
		}
	}
}
