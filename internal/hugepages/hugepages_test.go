package hugepages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Arrays are zeros, as long as asked for, and stay apart, also in memory that was
// used before.
func TestFloats(t *testing.T) {
	var all [][]float32
	for round := range 3 {
		for _, n := range []int{0, 1, 1000, size/4 - 1, size / 4, size/4 + 1, 3 << 20} {
			s := Floats(n)
			require.Len(t, s, n)
			for i := range s {
				if s[i] != 0 {
					t.Fatalf("round %d: element %d of %d is %v", round, i, n, s[i])
				}
				s[i] = float32(n)
			}
			all = append(all, s)
		}
		if round == 1 {
			all = nil // for the collector
		}
	}
	for _, s := range all {
		for i := range s {
			if s[i] != float32(len(s)) {
				t.Fatalf("element %d of %d is %v", i, len(s), s[i])
			}
		}
	}
}
