package spec

// SumBudget is the budget of a sum of n products in float32, in any order, with
// or without fused multiply-adds: (n+1) * 2^-24 * sum |a*b|, the bound of
// Higham, Accuracy and Stability of Numerical Algorithms, section 3.1, with one
// rounding to spare for a bias. Where all products have one sign that is at
// most half of WebNN's 2n ULP; where they cancel, no bound in ULP can hold.
func SumBudget(n int) Budget { return Budget{ULP: 1, Scaled: float64(n + 1)} }

// ThenActivation is the budget of an activation that is applied to a value with
// this budget: the value's error passes through a function whose slope is about
// 1 at most, and the function adds its own.
func (b Budget) ThenActivation(a Activation) Budget {
	if a.Func == Identity {
		return b
	}
	own := a.Budget()
	return Budget{ULP: b.ULP + own.ULP, Abs: max(b.Abs, own.Abs), Scaled: 1.2 * b.Scaled}
}

// relative is the budget of a value within some ULPs to which an activation is
// applied. The function may be steep where it is small (a sigmoid of -70), so
// that the error is measured against its argument, the magnitude, as well: a ULP
// is at most 2*2^-24 of it.
func relative(ulp float64, a Activation) Budget {
	b := Budget{ULP: ulp}
	if a.Func != Identity {
		b.Scaled = 2 * ulp
	}
	return b.ThenActivation(a)
}
