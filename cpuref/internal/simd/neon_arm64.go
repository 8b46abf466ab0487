//go:build !purego

package simd

import "unsafe"

// Every arm64 processor has NEON, so the tiles are its at every level; the
// other inner loops are plain Go there.
const tilesName = "neon"

type neonTile = func(c *float32, stride int, t *Tile)

// tileNEON fills a tile's sums with what they start from, adds its products and
// clamps them. access, cols and rows choose the kernel.
func tileNEON(t *Tile, access, cols, rows int) {
	const width = 16
	kernel := tilesNEON[access][cols][rows-1]
	n := t.N
	if n == 8*(cols+1) { // whole vectors: the sums stand in C itself
		tileStart(t, t.C, t.LDC, rows, n)
		kernel(t.C, t.LDC, t)
	} else {
		var acc [6 * width]float32
		tileStart(t, &acc[0], width, rows, n)
		kernel(&acc[0], width, t)
		for i := range rows {
			copy(unsafe.Slice(at(t.C, i*t.LDC), n), acc[i*width:])
		}
	}
	if t.Mode&Clamped == 0 {
		return
	}
	for i := range rows {
		clampRow(unsafe.Slice(at(t.C, i*t.LDC), n), t.Lo, t.Hi)
	}
}

// tileStart fills the rows at c with what the sums start from.
func tileStart(t *Tile, c *float32, stride, rows, n int) {
	for i := range rows {
		row := unsafe.Slice(at(c, i*stride), n)
		switch t.Mode &^ Clamped {
		case FromC:
			if c != t.C {
				copy(row, unsafe.Slice(at(t.C, i*t.LDC), n))
			}
		case FromRowBias:
			bias := *at(t.Bias, i)
			for j := range row {
				row[j] = bias
			}
		case FromColBias:
			copy(row, unsafe.Slice(t.Bias, n))
		default:
			clear(row)
		}
	}
}
