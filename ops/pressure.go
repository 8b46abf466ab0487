package ops

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// pressure has the garbage collector run when the tensors in use have grown a lot.
// To the collector a tensor is a few words, and the gigabytes of a device that it
// stands for are nothing: a program that does not call Release would fill the
// device before the collector sees a reason to look.
type pressure struct {
	held atomic.Int64 // bytes of the storages in use
	next atomic.Int64 // at so many the collector is called; 0: at the least

	collecting sync.Mutex
}

// leastPressure is what may be in use before the collector is called for it.
const leastPressure = 256 << 20

// patience is how long the release of what the collector found may stand still.
// It is over in a moment, but where all processors are busy.
const patience = time.Second

// add counts the memory of a storage, or takes it off again.
func (p *pressure) add(s *storage, sign int64) { p.held.Add(sign * 4 * int64(s.n)) }

// relieve calls the collector where with n elements more the memory in use has
// doubled since it was called last.
func (p *pressure) relieve(n int) {
	if p.held.Load()+4*int64(n) > max(leastPressure, p.next.Load()) {
		p.collect()
	}
}

// collect calls the collector and gives the tensors that it found a moment to be
// released. While one goroutine does, others go on.
func (p *pressure) collect() {
	if !p.collecting.TryLock() {
		return
	}
	defer p.collecting.Unlock()
	done := make(chan struct{})
	runtime.AddCleanup(new(*int), func(done chan struct{}) { close(done) }, done)
	runtime.GC()
	for before := int64(-1); before != p.held.Load(); {
		before = p.held.Load()
		select {
		case <-done:
			runtime.Gosched()
		case <-time.After(patience): // something else that is to be cleaned up takes its time
		}
	}
	p.next.Store(2 * p.held.Load())
}
