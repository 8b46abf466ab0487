package fast

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// threadLimit is the limit of SetThreads; 0 for none.
var threadLimit atomic.Int32

// SetThreads limits how many goroutines one call may use; n <= 0 removes the
// limit, which leaves GOMAXPROCS. It returns the limit before (0 for none).
// Results do not depend on it.
func SetThreads(n int) int { return int(threadLimit.Swap(int32(max(n, 0)))) }

// Threads returns how many goroutines a call may use now.
func Threads() int {
	n := runtime.GOMAXPROCS(0)
	if l := int(threadLimit.Load()); l > 0 {
		n = min(n, l)
	}
	return n
}

// job is one parallel loop.
type job struct {
	next atomic.Int64
	n    int
	f    func(worker, i int)
	wg   sync.WaitGroup
}

var jobs = sync.Pool{New: func() any { return new(job) }}

func (j *job) work(worker int) {
	for {
		i := int(j.next.Add(1)) - 1
		if i >= j.n {
			return
		}
		j.f(worker, i)
	}
}

func (j *job) run(worker int) {
	j.work(worker)
	j.wg.Done()
}

// parallel calls f(worker, i) for each i in [0, n), on up to workers goroutines,
// of which the caller's is number 0. Tasks are handed out in rising order as
// workers become free, so unequal tasks and slow cores balance; a task must
// therefore not depend on its worker but for the scratch memory it uses.
func parallel(workers, n int, f func(worker, i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	j := jobs.Get().(*job)
	j.next.Store(0)
	j.n, j.f = n, f
	j.wg.Add(workers - 1)
	for w := 1; w < workers; w++ {
		go j.run(w)
	}
	j.work(0)
	j.wg.Wait()
	j.f = nil
	jobs.Put(j)
}

// workersFor returns how many workers are worth starting for work that takes
// about ns nanoseconds on one: a goroutine that must wake a sleeping core
// costs some microseconds.
func workersFor(ns float64) int {
	const worthwhile = 8000
	if ns < 2*worthwhile {
		return 1
	}
	return min(Threads(), int(ns/worthwhile))
}

// Parallel calls f(i) for each i in [0, n), on as many goroutines as a call may
// use. ns is a guess at the time of all calls together on one core, in
// nanoseconds; where it is small f runs on the calling goroutine. f must not
// panic.
func Parallel(n int, ns float64, f func(i int)) {
	w := workersFor(ns)
	if w <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	parallel(w, n, func(_, i int) { f(i) })
}

// ParallelRange cuts [0, n) into pieces of about the given length, whose number
// depends on n and length alone, and calls f(low, high) for each as Parallel
// does.
func ParallelRange(n, length int, ns float64, f func(low, high int)) {
	length = max(length, 1)
	pieces := (n + length - 1) / length
	Parallel(pieces, ns, func(i int) { f(i*length, min(n, (i+1)*length)) })
}
