package spec

// Budget is replaced when the pointwise functions land.
func (a Activation) Budget() Budget { return Budget{ULP: 8, Abs: 0x1p-22} }
