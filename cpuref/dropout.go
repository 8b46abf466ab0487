package cpuref

import (
	"math/bits"

	"github.com/kansu-dev/kansu/spec"
)

// Dropout computes a dropout; see spec.Dropout. mask, which may be nil, gets 1
// where the element is kept and 0 elsewhere.
func Dropout[T Float](y, mask, x []T, g spec.Dropout) {
	var words [4]uint32
	for i := range x {
		if i%4 == 0 {
			words = Philox(uint32(i/4), g.Seed)
		}
		y[i] = 0
		keep := g.Keeps(words[i%4])
		if keep {
			y[i] = x[i] * T(g.Scale)
		}
		if mask != nil {
			mask[i] = 0
			if keep {
				mask[i] = 1
			}
		}
	}
}

// Philox returns the four words that Philox4x32-10 has for the counter
// (counter, 0, 0, 0) and the key seed, low word first (Salmon et al., Parallel
// Random Numbers: As Easy as 1, 2, 3, 2011).
func Philox(counter uint32, seed uint64) [4]uint32 {
	return philox([4]uint32{counter}, [2]uint32{uint32(seed), uint32(seed >> 32)})
}

func philox(c [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, c[0])
		hi1, lo1 := bits.Mul32(0xCD9E8D57, c[2])
		c = [4]uint32{hi1 ^ c[1] ^ key[0], lo1, hi0 ^ c[3] ^ key[1], lo0}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return c
}
