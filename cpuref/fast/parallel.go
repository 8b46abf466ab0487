package fast

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
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
	next    atomic.Int64
	n       int
	shares  []share // of the workers; none where tasks go out in rising order
	f       func(worker, i int)
	workers int32
	ids     atomic.Int32  // workers so far
	active  atomic.Int32  // goroutines at work, the caller until it blocks included; at 0 the loop is over
	done    chan struct{} // told by the last helper where the caller blocks
}

var jobs = sync.Pool{New: func() any { return &job{done: make(chan struct{}, 1)} }}

// share is the part of a loop's tasks that one worker begins with.
type share struct {
	span atomic.Uint64 // the first task that is left, and in the low half the end
	_    [56]byte      // a cache line for each
}

func (s *share) set(low, high int) { s.span.Store(uint64(low)<<32 | uint64(high)) }

func (s *share) left() int {
	v := s.span.Load()
	return int(uint32(v)) - int(v>>32)
}

// take returns a task that is left: the first for the share's own worker, the last
// for others.
func (s *share) take(last bool) (int, bool) {
	for {
		v := s.span.Load()
		low, high := v>>32, v&math.MaxUint32
		switch {
		case low == high:
			return 0, false
		case last && s.span.CompareAndSwap(v, v-1):
			return int(high) - 1, true
		case !last && s.span.CompareAndSwap(v, v+1<<32):
			return int(low), true
		}
	}
}

// workShares does the tasks of a worker's own share in rising order, and then
// what is left of those of others, from behind.
func (j *job) workShares(worker int) {
	for i, ok := j.shares[worker].take(false); ok; i, ok = j.shares[worker].take(false) {
		j.f(worker, i)
	}
	for {
		most := &j.shares[worker]
		for k := range j.shares {
			if s := &j.shares[k]; s.left() > most.left() {
				most = s
			}
		}
		if most.left() == 0 {
			return
		}
		if i, ok := most.take(true); ok {
			j.f(worker, i)
		}
	}
}

func (j *job) work(worker int) {
	if len(j.shares) > 0 {
		j.workShares(worker)
		return
	}
	for {
		i := int(j.next.Add(1)) - 1
		if i >= j.n {
			return
		}
		j.f(worker, i)
	}
}

// help has the calling goroutine take part, unless the loop is over: one that
// wakes too late keeps nobody waiting. The job may by then be another loop's,
// which it joins as well. done runs before the loop may end.
func (j *job) help(done func()) {
	for {
		a := j.active.Load()
		if a == 0 {
			done()
			return
		}
		if j.active.CompareAndSwap(a, a+1) {
			break
		}
	}
	if id := j.ids.Add(1); id < j.workers {
		j.work(int(id))
	}
	done()
	if j.active.Add(-1) == 0 {
		j.done <- struct{}{}
	}
}

// wait returns once all helpers have finished, and ends the loop.
func (j *job) wait() {
	for spin(func() bool { return j.active.Load() == 1 }) {
		if j.active.CompareAndSwap(1, 0) {
			return
		}
	}
	if j.active.Add(-1) != 0 {
		<-j.done
	}
}

// patience is how long a goroutine that has nothing to do looks out for work
// before it sleeps: to wake a core takes about as long, and the functions of a
// network follow each other closely.
const patience = 150 * time.Microsecond

// spin waits until ready, for as long as patience lasts, and reports whether it
// is. It gives way to goroutines that have work.
func spin(ready func() bool) bool {
	start := time.Now()
	for {
		for range 50 {
			if ready() {
				return true
			}
		}
		if time.Since(start) > patience {
			return false
		}
		runtime.Gosched()
	}
}

// helper is a goroutine that takes part in parallel loops of its callers until
// its patience ends.
type helper struct{ job atomic.Pointer[job] }

// idle are the helpers that look out for work.
var idle struct {
	sync.Mutex
	list []*helper
}

// call has a helper take part in a job.
func call(j *job) {
	idle.Lock()
	if n := len(idle.list); n > 0 {
		h := idle.list[n-1]
		idle.list = idle.list[:n-1]
		idle.Unlock()
		h.job.Store(j)
		return
	}
	idle.Unlock()
	go new(helper).run(j)
}

func (h *helper) run(j *job) {
	for {
		// It is idle before its job is done, so that the caller's next loop finds it.
		wait := false
		j.help(func() { wait = h.enlist() })
		if !wait {
			return
		}
		if !spin(func() bool { return h.job.Load() != nil }) && h.leave() {
			return
		}
		for j = h.job.Swap(nil); j == nil; j = h.job.Swap(nil) {
			runtime.Gosched() // taken off the list, and about to be given a job
		}
	}
}

// enlist puts a helper on the list, unless there are enough.
func (h *helper) enlist() bool {
	idle.Lock()
	defer idle.Unlock()
	if len(idle.list) >= Threads()-1 {
		return false
	}
	idle.list = append(idle.list, h)
	return true
}

// leave takes a helper off the list, and reports whether it was still there.
func (h *helper) leave() bool {
	idle.Lock()
	defer idle.Unlock()
	i := slices.Index(idle.list, h)
	if i < 0 {
		return false
	}
	idle.list = slices.Delete(idle.list, i, i+1)
	return true
}

// parallel calls f(worker, i) for each i in [0, n), on up to workers goroutines,
// of which the caller's is number 0. Tasks are handed out in rising order as
// workers become free, so unequal tasks and slow cores balance; a task must
// therefore not depend on its worker but for the scratch memory it uses.
func parallel(workers, n int, f func(worker, i int)) { spread(workers, n, false, f) }

// parallelShares is parallel for tasks that pass over memory side by side. Each
// worker begins with an equal share of them, all side by side too: where two
// processors take turns, each asks ahead for memory that the other is writing.
func parallelShares(workers, n int, f func(worker, i int)) {
	spread(workers, n, n < math.MaxInt32, f)
}

func spread(workers, n int, shares bool, f func(worker, i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	j := jobs.Get().(*job)
	j.next.Store(0)
	j.ids.Store(0)
	j.n, j.f, j.workers = n, f, int32(workers)
	j.shares = j.shares[:0]
	if shares {
		j.shares = slices.Grow(j.shares, workers)[:workers]
		for w := range workers {
			j.shares[w].set(w*n/workers, (w+1)*n/workers)
		}
	}
	j.active.Store(1) // from here on helpers may join
	for range workers - 1 {
		call(j)
	}
	j.work(0)
	j.wait()
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
// does, but each goroutine goes through pieces side by side.
func ParallelRange(n, length int, ns float64, f func(low, high int)) {
	length = max(length, 1)
	pieces := (n + length - 1) / length
	w := workersFor(ns)
	if w <= 1 {
		for i := range pieces {
			f(i*length, min(n, (i+1)*length))
		}
		return
	}
	parallelShares(w, pieces, func(_, i int) { f(i*length, min(n, (i+1)*length)) })
}
