//go:build !purego

package simd

func gradKernel(f Grad) binaryFunc {
	switch Active() {
	case AVX512:
		return gradAVX512[f]
	case AVX2:
		return gradAVX2[f]
	}
	return nil
}
