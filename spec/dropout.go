package spec

import (
	"math"
	"slices"
)

// Dropout is a resolved dropout: each element is set to 0 with probability P,
// and the others are divided by 1-P (Srivastava et al., 2014):
//
//	y[i] = x[i] * Scale  where r[i] >= Threshold,  0 elsewhere
//
// r[i] is word i%4 of Philox4x32-10 (Salmon et al., 2011) with the counter
// (i/4, 0, 0, 0) and the key Seed, low word first. So the mask depends on seed
// and position alone, and is the same on every device.
type Dropout struct {
	Shape     []int
	P         float64
	Seed      uint64
	Threshold uint32  // round(P * 2^32), at most 2^32-1
	Scale     float32 // 1/(1-P); 0 where P is 1
	Mask      bool    // the mask is an output too
}

// NewDropout checks and resolves a dropout of x with probability p.
func NewDropout(x []int, p float64, seed uint64, mask bool) (Dropout, error) {
	g := Dropout{Shape: slices.Clone(x), P: p, Seed: seed, Mask: mask}
	if err := checkShapes(x); err != nil {
		return g, err
	}
	if !(p >= 0 && p <= 1) {
		return g, paramErr("p is %v; a probability is from 0 to 1", p)
	}
	if p == 1 {
		g.Threshold = math.MaxUint32
		return g, nil
	}
	g.Threshold = uint32(min(math.Round(p*0x1p32), math.MaxUint32))
	g.Scale = float32(1 / (1 - p))
	return g, nil
}

// OutShape returns the shape of the result and of the mask: that of x.
func (g *Dropout) OutShape() []int { return slices.Clone(g.Shape) }

// Keeps reports whether an element whose random word is r is kept.
func (g *Dropout) Keeps(r uint32) bool { return r >= g.Threshold && g.P < 1 }

// Budget returns the error that an implementation may have: one rounding.
func (g *Dropout) Budget() Budget { return Budget{ULP: 1} }

// Flops returns the arithmetic of the definition: one multiplication each.
func (g *Dropout) Flops() float64 { return float64(Count(g.Shape)) }
