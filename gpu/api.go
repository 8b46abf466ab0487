package gpu

import (
	"fmt"
	"time"
)

// Program is the source of a compute kernel.
//
// Bindings, all in group 0: binding 0 is `var<uniform>` with ParamBytes bytes
// (absent where ParamBytes is 0), bindings 1..len(Writes) are
// `var<storage, read>` or `var<storage, read_write>`.
type Program struct {
	Name       string // for messages
	Source     string // WGSL
	Entry      string // entry point, "" = main
	Writes     []bool // one per storage binding: true = read_write, false = read
	ParamBytes int    // size of the uniform struct, 0 = none
}

// Stats counts what a device holds and did.
type Stats struct {
	LiveBuffers     int    // buffers handed out and not released
	PooledBuffers   int    // idle buffers kept for reuse
	LiveBytes       int64  // device bytes of the live buffers
	PooledBytes     int64  // device bytes of the idle ones
	PeakBytes       int64  // the most LiveBytes+PooledBytes there were
	Created         uint64 // buffers the driver made
	Reused          uint64 // buffers served from the pool
	Dispatches      uint64 // dispatches recorded
	Submits         uint64 // submissions to the queue
	Reads           uint64 // read-backs
	Writes          uint64 // uploads
	BindGroups      uint64 // bind groups made
	BindGroupHits   uint64 // dispatches that found their bind group in the cache
	KernelsCompiled uint64 // kernels compiled
}

// Device is an open device.
type Device struct{}

// Buffer is a pooled storage buffer.
type Buffer struct{}

// Kernel is a compiled Program.
type Kernel struct{}

var errSoon = fmt.Errorf("%w: the device layer is not written yet", ErrNoDevice)

// Adapters lists every adapter, ranked as Open would choose.
func Adapters() ([]Info, error) { return nil, errSoon }

// Open opens a device.
func Open(Options) (*Device, error) { return nil, errSoon }

// Info describes the device's adapter.
func (d *Device) Info() Info { return Info{} }

// Close frees everything the device holds. Later calls return ErrClosed.
func (d *Device) Close() error { return nil }

// NewBuffer returns a buffer of at least bytes bytes with undefined contents.
func (d *Device) NewBuffer(bytes int) (*Buffer, error) { return nil, errSoon }

// Size is the number of bytes asked for.
func (b *Buffer) Size() int { return 0 }

// Release gives the buffer back to the pool.
func (b *Buffer) Release() {}

// Write copies data to the buffer at offset.
func (d *Device) Write(b *Buffer, offset int, data []byte) error { return errSoon }

// Read submits what was recorded, waits and copies from the buffer to dst.
func (d *Device) Read(b *Buffer, offset int, dst []byte) error { return errSoon }

// Kernel compiles a program, or finds it compiled.
func (d *Device) Kernel(p *Program) (*Kernel, error) { return nil, errSoon }

// Dispatch records one dispatch.
func (d *Device) Dispatch(k *Kernel, params []byte, buffers []*Buffer, groups [3]int) error {
	return errSoon
}

// Flush submits what was recorded.
func (d *Device) Flush() error { return errSoon }

// Wait flushes and waits for the device.
func (d *Device) Wait() error { return errSoon }

// Stats returns the counters.
func (d *Device) Stats() Stats { return Stats{} }

// CheckGuards verifies the guard zones of all live buffers (Options.Debug only).
func (d *Device) CheckGuards() error { return errSoon }

// Trim gives the pool's idle buffers back to the driver.
func (d *Device) Trim() {}

// Time runs fn and returns the device time of what it recorded.
func (d *Device) Time(fn func() error) (time.Duration, error) { return 0, errSoon }
