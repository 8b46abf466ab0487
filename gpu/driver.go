package gpu

import "time"

// driver is what a device needs from a WebGPU implementation. There are three:
// the binding (binding*.go), a browser (browser.go) and, in tests, a simulated
// one that can fail on demand.
//
// A driver trusts its caller: sizes and offsets are valid multiples of 4,
// handles are alive. Methods are called with the device's lock held, except
// wait and read. Errors wrap ErrOutOfMemory, ErrDeviceLost, ErrShader or
// ErrDriver.
type driver interface {
	info() Info

	newBuffer(size uint64, kind bufferKind) (handle, error)
	freeBuffer(handle)
	// write copies data to a buffer. The queue orders it after all submissions
	// so far and before the next.
	write(buffer handle, offset uint64, data []byte) error

	newLayout(l layoutKey) (handle, error)
	freeLayout(handle)
	newKernel(layout handle, source, entry string) (handle, error)
	freeKernel(handle)
	// newGroup binds the first paramBytes of the arena at binding 0, unless
	// paramBytes is 0, and the buffers, whole, behind it.
	newGroup(layout, arena handle, paramBytes int, buffers []*memory) (handle, error)
	freeGroup(handle)

	newQueries() (handle, error)
	freeQueries(handle)

	// submit encodes and submits. An error means that nothing was submitted.
	submit(s *submission) error
	// wait reports whether submission seq is complete, waiting at most slice for
	// it; waited is how long the caller waited already.
	wait(seq uint64, waited, slice time.Duration) (bool, error)
	// read copies the first len(dst) bytes of a staging buffer whose last
	// submission is complete.
	read(buffer handle, dst []byte) error

	// close frees the device. idle says that nothing is in flight; otherwise the
	// driver leaves everything as it is, since freeing could abort the process.
	close(idle bool)
}

// handle is a driver's own name for an object.
type handle any

// bufferKind says what a buffer is for.
type bufferKind int

const (
	storageBuffer bufferKind = iota // bound to kernels, copied from and to
	arenaBuffer                     // uniform parameters
	stagingBuffer                   // copied to, mapped for reading
	resolveBuffer                   // receives timestamps
)

// layoutKey is the shape of a bind group: kernels that agree in it share bind
// groups.
type layoutKey struct {
	paramBytes int    // of the uniform block; 0 = none
	writes     string // one byte per storage binding: 'w' read_write, 'r' read
}

// submission is the work of one submission, in order: the parameters go to
// the arena, timestamp 0 is taken, the dispatches run in one pass, timestamp 1
// is taken and resolved, the copies run.
type submission struct {
	seq     uint64 // its number, from 1
	arena   handle
	params  []byte
	work    []command
	copies  []copyCommand
	queries handle // nil: no timestamps
	begin   bool
	end     bool
	resolve handle
}

// command is one recorded dispatch.
type command struct {
	kernel *Kernel
	group  *group
	offset uint32 // of its parameters in the arena
	groups [3]uint32
}

// copyCommand copies between buffers; all numbers are multiples of 4.
type copyCommand struct {
	from       handle
	fromOffset uint64
	to         handle
	toOffset   uint64
	size       uint64
}
