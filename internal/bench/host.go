package bench

import (
	"time"

	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/ops"
)

// measureHost measures the ceilings of pure Go with all its threads: the loops
// are those of package fast, on the instruction set in use.
func measureHost(e *ops.Engine) (c Ceilings, err error) {
	c.GFlops = hostMultiplyAdd()
	x, y := make([]float32, copyFloats), make([]float32, copyFloats)
	for i := range x {
		x[i] = 1 // untouched memory is one page of zeros, over and over
	}
	for n := leastCopy; n <= copyFloats; n *= 4 {
		c.Copies = append(c.Copies, CopyRate{Bytes: 8 * float64(n), GB: hostCopy(y[:n], x[:n])})
	}
	c.CopyGB = c.Copies[len(c.Copies)-1].GB
	c.UploadGB, c.ReadbackGB = c.CopyGB/2, c.CopyGB/2
	return c, c.measureCalls(e)
}

// hostMultiplyAdd returns the most operations per ns of several tries, each
// long enough that the start of a thread does not show.
func hostMultiplyAdd() (most float64) {
	rounds := 1 << 10
	for range 30 {
		start := time.Now()
		flops := fast.MultiplyAdds(rounds)
		d := time.Since(start)
		most = max(most, flops/float64(max(1, d.Nanoseconds())))
		if d < 4*time.Millisecond {
			rounds *= 2
		}
	}
	return most
}

// hostCopy returns the highest rate, with plain stores and with those that
// bypass the caches, in bytes read and written per ns.
func hostCopy(y, x []float32) (most float64) {
	times := max(1, copyFloats/16/len(x))
	for range 7 {
		for _, stream := range []bool{false, true} {
			start := time.Now()
			fast.Copy(y, x, times, stream)
			ns := float64(max(1, time.Since(start).Nanoseconds()))
			most = max(most, 8*float64(len(x))*float64(times)/ns)
		}
	}
	return most
}
