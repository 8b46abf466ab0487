package ops

import (
	"math/bits"
	"slices"
	"sync"

	"github.com/kansu-dev/kansu/internal/hugepages"
)

// hostPool keeps released memory of the pure-Go path for reuse: a fresh page
// costs ten times as much as the arithmetic of a cheap function on it.
type hostPool struct {
	mu   sync.Mutex
	free [64][]idleFloats // by size class, those longest idle first
	puts int64            // so far
	idle int64            // bytes
	live int64            // bytes handed out
	peak int64            // the most of them at once
}

// idleFloats are elements that wait to be used again.
type idleFloats struct {
	s     []float32
	since int64 // of the puts
}

// maxIdle bounds what the pool keeps, unless so much was in use at once that what
// is in use and kept together stays within 1.5 times that: a training step ends
// with less in use than it needs halfway. Beyond it what has been idle for longest
// goes to the collector: a program that goes on with other sizes would otherwise
// have nothing but fresh pages from then on.
const maxIdle = 1 << 30

// took counts bytes that were handed out.
func (p *hostPool) took(n int) {
	p.live += 4 * int64(n)
	p.peak = max(p.peak, p.live)
}

// class returns the octave of n elements, and the size of an array for them: eight
// sizes to an octave, so that rounding up wastes at most an eighth, and thirty-two
// from 65536 on, where what is wasted counts.
func class(n int) (index, size int) {
	const least = 256
	if n <= least {
		return 0, least
	}
	octave := bits.Len(uint(n-1)) - 1 // 2^octave < n <= 2^(octave+1)
	fine := 3
	if octave >= 16 {
		fine = 5
	}
	step := 1 << max(0, octave-fine)
	return octave, (n + step - 1) / step * step
}

// get returns n elements with undefined contents.
func (p *hostPool) get(n int) []float32 {
	index, size := class(n)
	p.mu.Lock()
	list := p.free[index]
	for i := len(list) - 1; i >= 0; i-- {
		if s := list[i].s; cap(s) >= size && cap(s) <= 2*size {
			p.free[index] = slices.Delete(list, i, i+1)
			p.idle -= int64(cap(s)) * 4
			p.took(cap(s))
			p.mu.Unlock()
			return s[:n]
		}
	}
	p.took(size)
	p.mu.Unlock()
	return hugepages.Floats(size)[:n]
}

// put takes memory back.
func (p *hostPool) put(s []float32) {
	if cap(s) == 0 {
		return
	}
	index, _ := class(cap(s))
	bytes := int64(cap(s)) * 4
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live -= bytes
	p.free[index] = append(p.free[index], idleFloats{s, p.puts})
	p.puts++
	p.idle += bytes
	for p.idle > maxIdle && p.live+p.idle > p.peak*3/2 {
		p.dropOldest()
	}
}

// dropOldest lets the collector have what has been idle for longest.
func (p *hostPool) dropOldest() {
	oldest := -1
	for i, list := range p.free {
		if len(list) > 0 && (oldest < 0 || list[0].since < p.free[oldest][0].since) {
			oldest = i
		}
	}
	p.idle -= int64(cap(p.free[oldest][0].s)) * 4
	p.free[oldest] = slices.Delete(p.free[oldest], 0, 1)
}

func (p *hostPool) idleBytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.idle
}
