package spec

// ReduceGradBudget is the error that the gradient of a greatest or least value may
// have: a division by the number of equal elements, which WGSL grants 2.5 units.
func ReduceGradBudget() Budget { return Budget{ULP: 3} }
