package fast

import "github.com/kansu-dev/kansu/cpuref/internal/simd"

// MultiplyAdds does multiply-adds in registers on every thread that a call may
// use, rounds of them on each of a thread's registers, and returns the
// operations done, two for each multiply-add. No function can do more in the
// same time: it is for measuring the processor.
func MultiplyAdds(rounds int) (flops float64) {
	workers := Threads()
	n := simd.MultiplyAddLen()
	parallel(workers, workers, func(_, _ int) {
		v := getScratch(n)
		fill(v, 1)
		simd.MultiplyAdd(v, rounds, 0.5, 1)
		putScratch(v)
	})
	return 2 * float64(workers) * float64(n) * float64(max(rounds, 1))
}

// Copy copies src to dst of the same length, times over, on every thread that a
// call may use, each its own part. stream asks for stores that bypass the
// cache. Like MultiplyAdds it is for measuring the processor.
func Copy(dst, src []float32, times int, stream bool) {
	workers, n := Threads(), len(src)
	parallel(workers, workers, func(_, i int) {
		low, high := n*i/workers, n*(i+1)/workers
		for range times {
			simd.Copy(dst[low:high], src[low:high], stream)
		}
	})
}
