//go:build !arm64 || purego

package simd

const tilesName = "" // no tiles but those of the level

func tileNEON(*Tile, int, int, int) { panic("simd: no NEON here") }
