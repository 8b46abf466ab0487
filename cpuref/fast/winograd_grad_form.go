package fast

import "github.com/kansu-dev/kansu/cpuref/internal/simd"

// gradForm is what the two methods differ in.
type gradForm struct {
	tile, patch   int        // outputs, and inputs, of a tile along an axis
	points        int        // patch * patch
	roundings     float64    // of the transforms, in unit roundoffs; see gradError
	spare         int        // vectors that taps takes beside its results
	cost          [3]float64 // cycles to transform a tile of a channel of dy, of x, and the sums of a pair
	dyRows, xRows func(dst, src *float32, n, dstRow, srcRow int)
	dyCols, xCols func(dst, src *float32, n, pos, tile, srcRow int)
	taps          func(dst, src, tmp *float32, n, pos, row int)
	// The squares of B', A' and G by positions modulo 4, for the guard; G's by tap.
	// A point and its negative, which have the same, are one line, and both in G's.
	input, dy [4][4]float32
	kernel    [4][3]float32
}

var (
	// gradQuads: points 0, +-sqrt(1/2), +-sqrt(2) and infinity.
	gradQuads = gradForm{
		tile: 4, patch: 6, points: 36, roundings: 6.5, spare: 18, cost: [3]float64{12, 16, 16},
		dyRows: simd.WinogradGradRows, xRows: simd.WinogradRows, dyCols: simd.WinogradGradCols, xCols: simd.WinogradCols,
		taps:   simd.WinogradGradOutput,
		input:  [4][4]float32{{2, 0, 6.25, 0}, {1, 2, 4, 0.5}, {1, 0.5, 0.25, 2}, {0, 2, 0, 6.25}},
		dy:     [4][4]float32{{1, 0, 0, 0}, {1, 0.5, 0.25, 0.125}, {1, 2, 4, 8}, {0, 0, 0, 1}},
		kernel: [4][3]float32{{1, 0, 0}, {8. / 9, 4. / 9, 2. / 9}, {1. / 18, 1. / 9, 2. / 9}, {0, 0, 1}},
	}
	// gradPairs: points 0, +-1 and infinity. Two tiles have the same positions modulo 4.
	gradPairs = gradForm{
		tile: 2, patch: 4, points: 16, roundings: 4, spare: 12 * gradOutputs, cost: [3]float64{4, 6, 8},
		dyRows: simd.PairGradRows, xRows: simd.PairRows, dyCols: simd.PairGradCols, xCols: simd.PairCols,
		taps:   simd.PairGradOutput,
		input:  [4][4]float32{{2, 0, 2, 0}, {1, 1, 1, 1}, {0, 2, 0, 2}},
		dy:     [4][4]float32{{1, 0, 1, 0}, {1, 1, 1, 1}, {0, 1, 0, 1}},
		kernel: [4][3]float32{{1, 0, 0}, {0.5, 0.5, 0.5}, {0, 0, 1}},
	}
)
