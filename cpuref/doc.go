// Package cpuref defines the functions of kansu in plain Go loops.
//
// Each function is written once, for float32 and float64 elements, and always
// accumulates in float64. With float64 tensors it is the oracle that every
// other implementation is compared with; with float32 tensors it is the
// plainest form of the fallback where there is no adapter. Package fast below
// has the fast form of the fallback, which is checked against this one.
//
// The functions take resolved geometries of package spec, whose checks have
// passed, and slices of the right length.
package cpuref

// Float is the element type of a tensor.
type Float interface{ ~float32 | ~float64 }
