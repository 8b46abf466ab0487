package gpu

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Options says how to open a device. The zero value is the ordinary case.
type Options struct {
	// Adapter is a part of the wanted adapter's name, vendor, driver, backend
	// or type; case does not matter. "cpu" and "none" ask for pure Go: Open then
	// returns ErrNoDevice. "" means the environment variable KANSU_ADAPTER, and
	// where that is empty too the best adapter of the machine.
	Adapter string

	// Debug fills every new and reused buffer with NaN bit patterns, puts a
	// guard zone behind it and verifies the zone at Release and CheckGuards. A
	// Release then waits for the device.
	Debug bool

	// Timeout is how long Read, Wait and Time wait for the device before they
	// return ErrTimeout. 0 is as long as it takes.
	Timeout time.Duration
}

// When recorded work is submitted without being asked for, how much may be
// under way, and what is kept.
const (
	batchDispatches = 256       // dispatches of one submission
	arenaBytes      = 128 << 10 // parameters of one submission
	uploadBytes     = 64 << 20  // bytes of Write that start a submission
	flightDepth     = 32        // submissions under way
	flightBytes     = 256 << 20 // bytes of Write under way
	idleBytes       = 256 << 20 // idle buffers, where less was ever in use at a time
	stagingBytes    = 64 << 20  // one step of a read-back, and what is kept idle for them
	closePatience   = 30 * time.Second
	waitSlice       = 20 * time.Millisecond // how often a wait looks up from its device
)

// Device is an open device. Its methods may be called from many goroutines.
type Device struct {
	drv     driver
	opts    Options
	limit   uint64      // bytes of the largest buffer
	closing atomic.Bool // waiting goroutines give up

	timing sync.Mutex // held by Time

	mu      sync.Mutex // guards everything below, and all calls of the driver but wait and read
	closed  bool
	lost    error          // not nil once the device is lost
	waiters sync.WaitGroup // goroutines that wait without the lock
	info    Info

	all     map[*memory]struct{} // every buffer of the driver
	pool    pool                 // idle storage buffers
	staging pool                 // idle staging buffers
	nextID  uint64
	guarded map[*Buffer]struct{} // live buffers, with Options.Debug
	broken  []error              // guard zones found broken at Release
	poison  []byte

	layouts map[layoutKey]*layout
	kernels map[kernelKey]*Kernel
	groups  groupCache
	dummy   *memory // stands for a nil buffer
	arena   *memory

	// The open batch.
	work    []command
	params  []byte
	scratch []*memory
	retired []*group // evicted from the cache while the open batch names them
	upload  int64    // bytes of Write since the last submission

	// Submissions: seq is the number of the last one.
	seq        uint64
	done       uint64 // all up to this one are known to be complete
	flight     []flight
	flightSize int64

	queries   handle
	resolve   *memory
	beginNext bool // the next submission takes timestamp 0

	stats Stats
}

// flight is a submission under way.
type flight struct {
	seq    uint64
	upload int64
}

// Stats counts what a device holds and did.
type Stats struct {
	LiveBuffers     int    // buffers handed out and not released
	PooledBuffers   int    // idle buffers kept for reuse, those for read-backs included
	LiveBytes       int64  // device bytes of the live buffers
	PooledBytes     int64  // device bytes of the idle ones
	PeakBytes       int64  // the most that LiveBytes + PooledBytes came to
	Created         uint64 // buffers the driver made
	Reused          uint64 // buffers served from the pool
	Dispatches      uint64 // dispatches recorded
	Submits         uint64 // submissions to the queue
	Reads           uint64 // read-backs
	Writes          uint64 // uploads
	BindGroups      uint64 // bind groups made
	BindGroupHits   uint64 // dispatches that found their bind group in the cache
	BindGroupsHeld  int    // bind groups in the cache
	KernelsCompiled uint64 // kernels compiled
}

// Open opens the best adapter, or the one that the options or the environment
// variable KANSU_ADAPTER name. The error is ErrNoDevice where there is none,
// where pure Go was asked for, and in a build without cgo.
func Open(o Options) (*Device, error) {
	want := wantedAdapter(o)
	if want == "cpu" || want == "none" { // do not even load a driver
		_, err := choose(nil, want)
		return nil, fmt.Errorf("gpu.Open: %w", err)
	}
	found, err := findAdapters()
	if err != nil {
		return nil, fmt.Errorf("gpu.Open: %w", err)
	}
	defer func() {
		for _, c := range found {
			c.release()
		}
	}()
	infos := make([]Info, len(found))
	for i, c := range found {
		infos[i] = c.info
	}
	n, err := choose(infos, want)
	if err != nil {
		return nil, fmt.Errorf("gpu.Open: %w", err)
	}
	drv, err := found[n].open()
	if err != nil {
		return nil, fmt.Errorf("gpu.Open: %s: %w", infos[n], err)
	}
	d, err := newDevice(drv, o)
	if err != nil {
		return nil, fmt.Errorf("gpu.Open: %s: %w", infos[n], err)
	}
	return d, nil
}

// newDevice builds a device on a driver, which it owns from here on.
func newDevice(drv driver, o Options) (*Device, error) {
	d := &Device{
		drv:     drv,
		opts:    o,
		info:    drv.info(),
		all:     map[*memory]struct{}{},
		layouts: map[layoutKey]*layout{},
		kernels: map[kernelKey]*Kernel{},
		work:    make([]command, 0, batchDispatches),
		params:  make([]byte, 0, arenaBytes),
	}
	l := d.info.Limits
	d.limit = min(l.MaxBufferSize, l.MaxBindingSize)
	if o.Debug {
		d.guarded = map[*Buffer]struct{}{}
	}
	var err error
	if d.arena, err = d.create(arenaBytes, arenaBuffer); err == nil {
		d.dummy, err = d.create(sizeStep, storageBuffer)
	}
	if err == nil {
		err = d.drv.write(d.dummy.handle, 0, make([]byte, sizeStep))
	}
	if err != nil {
		d.drv.close(true)
		return nil, err
	}
	d.stats = Stats{}
	return d, nil
}

// Info describes the device's adapter.
func (d *Device) Info() Info {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.info
	i.Features = append([]string(nil), i.Features...)
	return i
}

// Stats returns the device's counters.
func (d *Device) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.PooledBuffers = d.pool.count + d.staging.count
	s.PooledBytes = int64(d.pool.bytes + d.staging.bytes)
	s.BindGroupsHeld = d.groups.count
	return s
}

// usable reports why the device can take no more calls, or nil.
func (d *Device) usable() error {
	if d.closed {
		return ErrClosed
	}
	return d.lost
}

// note remembers a lost device. It returns the error that the caller sees.
func (d *Device) note(err error) error {
	if err != nil && d.lost == nil && errors.Is(err, ErrDeviceLost) {
		d.lost = err
	}
	return err
}

// noteUnlocked is note for a caller without the lock.
func (d *Device) noteUnlocked(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.note(err)
}

// create makes a buffer of the driver. When there is no memory for it, the
// idle ones are given back and it tries once more.
func (d *Device) create(size uint64, kind bufferKind) (*memory, error) {
	h, err := d.drv.newBuffer(size, kind)
	if errors.Is(err, ErrOutOfMemory) {
		if d.trim(); d.lost == nil {
			h, err = d.drv.newBuffer(size, kind)
		}
	}
	if err != nil {
		return nil, d.note(err)
	}
	d.nextID++
	m := &memory{id: d.nextID, handle: h, size: size, kind: kind}
	d.all[m] = struct{}{}
	d.stats.Created++
	return m, nil
}

// destroy gives a buffer back to the driver, and with it the bind groups that
// name it. What is recorded and names it is submitted first: a submission that
// names a destroyed buffer would abort the process.
func (d *Device) destroy(m *memory) {
	if m.batch > d.seq {
		_ = d.submit(submission{}) // where it fails, nothing is recorded any more either
	}
	for len(m.groups) > 0 {
		d.dropGroup(m.groups[len(m.groups)-1])
	}
	delete(d.all, m)
	d.drv.freeBuffer(m.handle)
}

// Trim gives the idle buffers of the pool back to the driver.
func (d *Device) Trim() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.usable() == nil {
		d.trim()
	}
}

// trim gives all idle buffers back and waits until the device let go of them.
func (d *Device) trim() {
	for _, m := range d.pool.evict(0) {
		d.destroy(m)
	}
	for _, m := range d.staging.evict(0) {
		d.destroy(m)
	}
	_ = d.submit(submission{})
	_ = d.await(d.seq)
}

// shrink keeps the pool of idle buffers from growing past what the program
// uses at a time.
func (d *Device) shrink() {
	limit := max(uint64(d.stats.LiveBytes), idleBytes)
	if d.pool.bytes > limit {
		for _, m := range d.pool.evict(limit) {
			d.destroy(m)
		}
	}
}

// Close waits for the device, frees all it holds and makes every later call
// return ErrClosed, those that wait at this moment included. What was recorded
// and not submitted is dropped. Closing twice is harmless.
func (d *Device) Close() error {
	d.closing.Store(true)
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	d.work, d.params, d.scratch = nil, nil, nil
	d.mu.Unlock()

	d.waiters.Wait()

	d.mu.Lock()
	defer d.mu.Unlock()
	idle := d.lost == nil
	var late error
	for start := time.Now(); idle && d.done < d.seq; {
		ok, err := d.drv.wait(d.seq, time.Since(start), waitSlice)
		switch {
		case err != nil:
			idle = false
		case ok:
			d.done = d.seq
		case time.Since(start) > closePatience:
			idle, late = false, fmt.Errorf("gpu: Close: %w: work is still under way after %v; its memory is not freed", ErrTimeout, closePatience)
		}
	}
	if idle {
		d.free()
	}
	d.drv.close(idle)
	d.all, d.layouts, d.kernels, d.guarded = nil, nil, nil, nil
	d.pool, d.staging, d.groups = pool{}, pool{}, groupCache{}
	d.stats.LiveBuffers, d.stats.LiveBytes = 0, 0
	return late
}

// free gives every object back to the driver.
func (d *Device) free() {
	d.groups.each(func(g *group) { d.drv.freeGroup(g.handle) })
	for _, g := range d.retired {
		d.drv.freeGroup(g.handle)
	}
	for _, k := range d.kernels {
		d.drv.freeKernel(k.handle)
	}
	for _, l := range d.layouts {
		d.drv.freeLayout(l.handle)
	}
	if d.queries != nil {
		d.drv.freeQueries(d.queries)
	}
	for m := range d.all {
		d.drv.freeBuffer(m.handle)
	}
}
