package fast

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Every task runs once, whoever takes it, also from many goroutines at once and
// from within a task.
func TestParallelTasks(t *testing.T) {
	old := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(old)
	var wg sync.WaitGroup
	for caller := range 6 {
		wg.Go(func() {
			for round := range 300 {
				n := 1 + (round*7+caller)%40
				runs := make([]atomic.Int32, n)
				workers := 1 + (round+caller)%5
				run := parallel
				if round%2 == 1 {
					run = parallelShares
				}
				run(workers, n, func(worker, i int) {
					if worker < 0 || worker >= workers {
						runs[i].Add(100)
					}
					if round%10 == 0 {
						parallel(2, 3, func(_, _ int) { runtime.Gosched() })
					}
					runs[i].Add(1)
				})
				for i := range runs {
					if runs[i].Load() != 1 {
						t.Errorf("round %d: task %d of %d: %d", round, i, n, runs[i].Load())
					}
				}
				if round%50 == 0 {
					time.Sleep(2 * patience) // helpers give up
				}
			}
		})
	}
	wg.Wait()
}

// Helpers do not stay.
func TestHelpersEnd(t *testing.T) {
	old := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(old)
	before := runtime.NumGoroutine()
	for range 10 {
		parallel(4, 100, func(_, _ int) { runtime.Gosched() })
	}
	gone := func() bool {
		idle.Lock()
		defer idle.Unlock()
		return len(idle.list) == 0 && runtime.NumGoroutine() <= before
	}
	for !gone() { // where they stay, this hangs
		time.Sleep(time.Millisecond)
	}
}
