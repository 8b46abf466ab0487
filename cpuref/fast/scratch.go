package fast

import (
	"math/bits"
	"sync"
	"unsafe"

	"github.com/kansu-dev/kansu/internal/hugepages"
)

// scratch keeps buffers between calls: fresh memory costs more in page faults
// than the arithmetic that is done in it.
var scratch scratchPool

type scratchPool struct {
	mu   sync.Mutex
	free [1024][][]float32 // by class
	held int               // floats
}

// maxScratch bounds what is kept for later, in floats.
const maxScratch = 32 << 20

// scratchFine is the octave from which on there are thirty-two classes.
const scratchFine = 16

// scratchClass returns the class of n floats and the size of its buffers: four
// classes to an octave from 1024 on, and thirty-two from 65536 on, where what is
// rounded up counts.
func scratchClass(n int) (class, size int) {
	n = max(n, 1024)
	octave := bits.Len(uint(n-1)) - 1 // 2^octave < n <= 2^(octave+1)
	fine := 2
	if octave >= scratchFine {
		fine = 5
	}
	step := 1 << (octave - fine)
	size = (n + step - 1) / step * step
	return (octave-9)<<5 + (size-1)/step%(1<<fine), size
}

// getScratch returns n floats with undefined contents. Give them back with
// putScratch. Sizes are multiples of 1 KiB, which the Go allocator aligns to
// cache lines.
func getScratch(n int) []float32 { return getScratchWithin(n, n+n/4) }

// getScratchWithin is getScratch where a buffer that is kept will do up to so many
// floats: the last buffers of a function may be as large as they come, those that
// others follow would take what these need.
func getScratchWithin(n, most int) []float32 {
	class, size := scratchClass(n)
	p := &scratch
	last := class
	if size > 1<<scratchFine {
		last, _ = scratchClass(most)
	}
	p.mu.Lock()
	for ; class <= last && class < len(p.free); class++ {
		if l := len(p.free[class]); l > 0 {
			s := p.free[class][l-1]
			p.free[class] = p.free[class][:l-1]
			p.held -= cap(s)
			p.mu.Unlock()
			return s[:n]
		}
	}
	p.mu.Unlock()
	return hugepages.Floats(size)[:n]
}

// putScratch takes back what getScratch returned, or nil.
func putScratch(s []float32) {
	if s == nil {
		return
	}
	class, size := scratchClass(cap(s))
	p := &scratch
	p.mu.Lock()
	defer p.mu.Unlock()
	if class < len(p.free) && p.held+size <= maxScratch {
		p.free[class] = append(p.free[class], s[:0])
		p.held += size
	}
}

// getDoubles returns n zeros in float64. Give them back with putDoubles.
func getDoubles(n int) []float64 {
	s := getScratch(2 * n)
	d := unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(s))), cap(s)/2)[:n]
	clear(d)
	return d
}

// putDoubles takes back what getDoubles returned.
func putDoubles(d []float64) {
	putScratch(unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(d))), 2*cap(d)))
}

// FreeScratch gives the memory that is kept between calls to the collector, and
// returns its size in bytes.
func FreeScratch() int64 {
	p := &scratch
	p.mu.Lock()
	defer p.mu.Unlock()
	held := p.held
	for i := range p.free {
		p.free[i] = nil
	}
	p.held = 0
	return 4 * int64(held)
}
