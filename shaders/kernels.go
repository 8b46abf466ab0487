package shaders

// Kernels returns every kernel that a plan can return, once, so that tests can
// compile all of them. Free dimensions that do not interact (a fused activation
// and a padding mode, say) are enumerated one at a time, not as a product.
func Kernels() []*Kernel {
	var all []*Kernel
	seen := map[*Kernel]bool{}
	for _, row := range [][]*Kernel{
		activationKernels(),
		activationGradKernels(),
		binaryKernels(),
		concatKernels(),
		fusedKernels(),
		gatherKernels(),
		padKernels(),
		reduceKernels(),
		reduceGradKernels(),
		upsampleKernels(),
		ceilingKernels(),
		convKernels(),
		lossKernels(),
		crossEntropyKernels(),
		optimKernels(),
		convGradKernels(),
		padGradKernels(),
		binaryGradKernels(),
		upsampleGradKernels(),
		poolGradKernels(),
		[]*Kernel{unpoolGradKernel()},
		convTransposeKernels(),
		gemmKernels(),
		normKernels(),
		normGradKernels(),
		softmaxKernels(),
		softmaxGradKernels(),
		lpNormalizeKernels(),
		lpNormalizeGradKernels(),
		lrnKernels(),
		lrnGradKernels(),
		dropoutKernels(),
		poolKernels(),
		unpoolKernels(),
	} {
		for _, k := range row {
			if !seen[k] {
				seen[k] = true
				all = append(all, k)
			}
		}
	}
	return all
}
