//go:build !amd64 || purego

package simd

func gradKernel(Grad) binaryFunc { return nil }

func partialGradKernel(PartialGrad) partialGradFunc { return nil }

func gradTernaryKernel(GradTernary) ternaryFunc { return nil }

func repeatPairs(_, _ *float32, _ int, _ float32) int { return 0 }
