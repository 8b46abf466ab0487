package bench

import (
	"runtime"
	"sync"
	"time"

	"github.com/kansu-dev/kansu/ops"
)

// measureHost measures the ceilings of pure Go: the copy rate with all threads.
func measureHost(e *ops.Engine) (c Ceilings, err error) {
	x, y := make([]float32, copyFloats), make([]float32, copyFloats)
	var times []time.Duration
	for range 7 {
		start := time.Now()
		parallel(copyFloats, func(lo, hi int) { copy(y[lo:hi], x[lo:hi]) })
		times = append(times, time.Since(start))
	}
	c.CopyGB = 8 * copyFloats / best(times[1:])
	c.UploadGB, c.ReadbackGB = c.CopyGB/2, c.CopyGB/2
	return c, c.measureCalls(e)
}

// parallel splits n elements over all threads.
func parallel(n int, f func(lo, hi int)) {
	p := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for i := range p {
		wg.Go(func() { f(n*i/p, n*(i+1)/p) })
	}
	wg.Wait()
}
