package gpu

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Buffer is a storage buffer from the device's pool.
type Buffer struct {
	dev  *Device
	size int     // as asked for
	mem  *memory // nil after Release; guarded by dev.mu
}

// NewBuffer returns a buffer of at least bytes bytes with undefined contents.
// A kernel that binds it sees the whole size class, up to 1/8 more: WGSL's
// arrayLength is not the number of elements, pass that as a parameter.
//
// Errors: ErrInvalid for a negative size, ErrTooLarge for one over the
// device's limit, ErrOutOfMemory where the device has no room even after the
// idle buffers went back.
func (d *Device) NewBuffer(bytes int) (*Buffer, error) {
	if bytes < 0 {
		return nil, fmt.Errorf("gpu: NewBuffer: %w: size %d", ErrInvalid, bytes)
	}
	need := uint64(bytes)
	if d.opts.Debug {
		need += 3 + guardBytes
	}
	capacity, ok := capacityFor(need, d.limit)
	if !ok {
		return nil, fmt.Errorf("gpu: NewBuffer: %w: %d bytes asked for, the device takes at most %d in one buffer", ErrTooLarge, bytes, d.limit)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.usable(); err != nil {
		return nil, fmt.Errorf("gpu: NewBuffer: %w", err)
	}
	m := d.pool.take(capacity)
	if m != nil {
		d.stats.Reused++
	} else {
		var err error
		if m, err = d.create(capacity, storageBuffer); err != nil {
			if errors.Is(err, ErrOutOfMemory) {
				return nil, fmt.Errorf("gpu: NewBuffer: %w: %d bytes asked for while %d buffers hold %d bytes: %s",
					ErrOutOfMemory, bytes, d.stats.LiveBuffers, d.stats.LiveBytes, err)
			}
			return nil, fmt.Errorf("gpu: NewBuffer: %d bytes: %w", bytes, err)
		}
	}
	b := &Buffer{dev: d, size: bytes, mem: m}
	if d.opts.Debug {
		if err := d.fillPoison(m); err != nil {
			d.destroy(m)
			return nil, fmt.Errorf("gpu: NewBuffer: %w", err)
		}
		d.guarded[b] = struct{}{}
	}
	d.stats.LiveBuffers++
	d.stats.LiveBytes += int64(m.size)
	d.stats.PeakBytes = max(d.stats.PeakBytes, d.stats.LiveBytes+int64(d.pool.bytes+d.staging.bytes))
	return b, nil
}

// Size is the number of bytes that was asked for.
func (b *Buffer) Size() int { return b.size }

// Release gives the buffer back to the pool. Work that was recorded with it
// still runs; a second Release does nothing; every other use afterwards
// returns ErrReleased.
func (b *Buffer) Release() {
	if b == nil {
		return
	}
	d := b.dev
	if d.opts.Debug {
		b.releaseChecked()
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	b.release()
}

func (b *Buffer) release() {
	d, m := b.dev, b.mem
	if m == nil {
		return
	}
	b.mem = nil
	if d.closed {
		return
	}
	d.stats.LiveBuffers--
	d.stats.LiveBytes -= int64(m.size)
	d.pool.put(m)
	if d.lost == nil {
		d.shrink()
	}
}

// check says why the range [offset, offset+n) of a buffer cannot be used.
func (d *Device) check(b *Buffer, offset, n int) error {
	if err := d.usable(); err != nil {
		return err
	}
	switch {
	case b == nil:
		return fmt.Errorf("%w: nil buffer", ErrInvalid)
	case b.dev != d:
		return fmt.Errorf("%w: the buffer belongs to another device", ErrInvalid)
	case b.mem == nil:
		return ErrReleased
	case offset < 0 || offset%4 != 0:
		return fmt.Errorf("%w: offset %d is not a multiple of 4", ErrInvalid, offset)
	case offset > b.size || n > b.size-offset:
		return fmt.Errorf("%w: bytes %d to %d of a buffer of %d", ErrInvalid, offset, uint64(offset)+uint64(n), b.size)
	}
	return nil
}

// Write copies data to the buffer, from offset (a multiple of 4) on, after all
// that was recorded before. Where len(data) is no multiple of 4, the bytes up
// to the next multiple become 0.
func (d *Device) Write(b *Buffer, offset int, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.check(b, offset, len(data)); err != nil {
		return fmt.Errorf("gpu: Write: %w", err)
	}
	d.stats.Writes++
	if err := d.writeMemory(b.mem, uint64(offset), data); err != nil {
		return fmt.Errorf("gpu: Write: %w", err)
	}
	return nil
}

// writeMemory writes in order with what is recorded. The queue runs a write
// before the next submission, so recorded work that uses the buffer has to go
// first.
func (d *Device) writeMemory(m *memory, offset uint64, data []byte) error {
	if m.batch > d.seq {
		if err := d.submit(submission{}); err != nil {
			return err
		}
	}
	for len(data) >= 4 {
		n := min(len(data)&^3, uploadBytes)
		if err := d.writePart(m, offset, data[:n]); err != nil {
			return err
		}
		data, offset = data[n:], offset+uint64(n)
	}
	if len(data) > 0 {
		var last [4]byte
		copy(last[:], data)
		return d.writePart(m, offset, last[:])
	}
	return nil
}

func (d *Device) writePart(m *memory, offset uint64, data []byte) error {
	err := d.drv.write(m.handle, offset, data)
	if errors.Is(err, ErrOutOfMemory) { // of the driver's own staging memory
		if d.trim(); d.lost == nil {
			err = d.drv.write(m.handle, offset, data)
		}
	}
	if err != nil {
		return d.note(err)
	}
	// The driver keeps a copy of the data until the device took it. Submit now
	// and then, so that those copies do not pile up.
	if d.upload += int64(len(data)); d.upload >= uploadBytes {
		return d.submit(submission{})
	}
	return nil
}

// fillPoison fills a whole buffer with NaN bit patterns.
func (d *Device) fillPoison(m *memory) error {
	if d.poison == nil {
		d.poison = make([]byte, 1<<20)
		for i := 0; i < len(d.poison); i += 4 {
			binary.LittleEndian.PutUint32(d.poison[i:], poisonWord)
		}
	}
	for at := uint64(0); at < m.size; {
		n := min(m.size-at, uint64(len(d.poison)))
		if err := d.writeMemory(m, at, d.poison[:n]); err != nil {
			return err
		}
		at += n
	}
	return nil
}
