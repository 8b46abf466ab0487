package simd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/internal/testseed"
	"github.com/stretchr/testify/require"
)

// onEach runs a test at each level that the machine has.
func onEach(t *testing.T, f func(t *testing.T)) {
	for _, l := range Levels() {
		t.Run(l.String(), func(t *testing.T) {
			old := SetLevel(l)
			defer SetLevel(old)
			f(t)
		})
	}
}

// guardValue stands around destinations; it must survive.
const guardValue = -12345.5

const guardZone = 64

// guarded is a destination of n floats at an odd offset between guard zones.
type guarded struct{ all, s []float32 }

func newGuarded(n int) guarded {
	all := make([]float32, n+2*guardZone+3)
	for i := range all {
		all[i] = guardValue
	}
	return guarded{all, all[guardZone+3 : guardZone+3+n]}
}

// check fails if a float outside of the destination has changed.
func (g guarded) check(t *testing.T, what ...any) {
	t.Helper()
	for i, v := range g.all {
		if (i < guardZone+3 || i >= guardZone+3+len(g.s)) && v != guardValue {
			require.Fail(t, "wrote outside of the destination", "at %d of %d; %v", i-guardZone-3, len(g.s), what)
		}
	}
}

// random returns n floats in [-1, 1), at an odd offset.
func random(r *rand.Rand, n int) []float32 {
	s := make([]float32, n+1)[1:]
	for i := range s {
		s[i] = 2*r.Float32() - 1
	}
	return s
}

func newRand(t *testing.T) *rand.Rand {
	return rand.New(rand.NewPCG(testseed.Of(t, 20240611), 1))
}

func same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// ptr returns the address of the first element, or of something where there is none.
func ptr(s []float32) *float32 {
	if len(s) == 0 {
		return new(float32)
	}
	return &s[0]
}
