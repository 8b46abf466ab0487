package gpu

import "math/bits"

// Sizes of pooled buffers. Every buffer is a whole size class: 8 classes to
// each power of two, and 32 from sizeFine on, so that at most 1/8 of a buffer is
// waste, and little of a large one. Buffers of like sizes serve one another.
const (
	sizeStep   = 256      // every class is a multiple of it
	sizeFine   = 64 << 10 // see above
	poisonWord = 0x7fc0dead
	guardBytes = 256 // the least that Options.Debug adds behind a buffer
)

// sizeClass rounds a number of bytes up to a size class.
func sizeClass(bytes uint64) uint64 {
	if bytes <= sizeStep {
		return sizeStep
	}
	step := sizeClassStep(bytes)
	return (bytes + step - 1) / step * step
}

// sizeClassStep returns how far apart classes around a number of bytes are: those
// between 2^k and 2^(k+1) 2^k/8 or 2^k/32, and never under 256.
func sizeClassStep(bytes uint64) uint64 {
	k := bits.Len64(bytes-1) - 1
	if bytes > sizeFine {
		return uint64(1) << k >> 5
	}
	return max(uint64(1)<<k>>3, sizeStep)
}

// capacityFor returns the size of the driver's buffer for a request: its size
// class, or the limit where the class would go over it. ok is false where the
// request itself is over the limit.
func capacityFor(bytes, limit uint64) (capacity uint64, ok bool) {
	limit = limit / sizeStep * sizeStep
	if bytes > limit {
		return 0, false
	}
	return min(sizeClass(bytes), limit), true
}

// memory is one buffer of the driver. It is live (a Buffer, a read-back or the
// device itself uses it) or idle in a pool.
type memory struct {
	id     uint64 // unique in its device, never reused
	handle handle
	size   uint64
	kind   bufferKind
	batch  uint64   // last batch that uses it; the open one: it must not be destroyed or written
	groups []*group // bind groups that name it
	writer string   // name of the last kernel that could write it
	idle   uint64   // when it became idle, in ticks of its pool
}

// pool keeps idle buffers for reuse, the most recently used first.
type pool struct {
	classes map[uint64][]*memory // by size, the last is the most recent
	count   int
	bytes   uint64
	tick    uint64
}

// take removes and returns an idle buffer of this size, or else a large one that
// is up to an eighth larger, or nil.
func (p *pool) take(size uint64) *memory {
	s := p.classes[size]
	for most := size + size/8; len(s) == 0; s = p.classes[size] {
		if size < sizeFine || p.count == 0 {
			return nil
		}
		if size += sizeClassStep(size + 1); size > most {
			return nil
		}
	}
	m := s[len(s)-1]
	s[len(s)-1] = nil
	p.classes[size] = s[:len(s)-1]
	p.count--
	p.bytes -= m.size
	return m
}

// put makes a buffer idle.
func (p *pool) put(m *memory) {
	if p.classes == nil {
		p.classes = map[uint64][]*memory{}
	}
	p.tick++
	m.idle = p.tick
	p.classes[m.size] = append(p.classes[m.size], m)
	p.count++
	p.bytes += m.size
}

// evict removes the buffers that were idle longest until at most limit bytes
// are left, and returns them.
func (p *pool) evict(limit uint64) []*memory {
	var out []*memory
	for p.bytes > limit {
		var oldest []*memory
		for _, s := range p.classes {
			if len(s) > 0 && (oldest == nil || s[0].idle < oldest[0].idle) {
				oldest = s
			}
		}
		m := oldest[0]
		copy(oldest, oldest[1:])
		oldest[len(oldest)-1] = nil
		if len(oldest) == 1 {
			delete(p.classes, m.size)
		} else {
			p.classes[m.size] = oldest[:len(oldest)-1]
		}
		p.count--
		p.bytes -= m.size
		out = append(out, m)
	}
	return out
}
