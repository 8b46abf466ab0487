//go:build !amd64 || purego

package simd

func dropout(_, _ *float32, _ int, _, _, _, _ uint32, _ float32) {} // never called: the level is Portable
