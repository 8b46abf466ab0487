//go:build !amd64 || purego

package simd

func gradKernel(Grad) binaryFunc { return nil }
