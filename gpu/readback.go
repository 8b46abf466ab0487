package gpu

import (
	"errors"
	"fmt"
)

// Read copies len(dst) bytes of the buffer, from offset (a multiple of 4) on,
// after all that was recorded before: it submits what is recorded, waits for
// it and copies. Other goroutines may record meanwhile.
//
// A read over 64 MiB goes in steps; a goroutine that writes the buffer
// meanwhile may be seen by some of them and not by others.
func (d *Device) Read(b *Buffer, offset int, dst []byte) error {
	d.mu.Lock()
	err := d.check(b, offset, len(dst))
	if err == nil {
		d.stats.Reads++
	}
	d.mu.Unlock()
	for step := 0; err == nil && len(dst) > 0; {
		n := min(len(dst), stagingBytes)
		if step > 0 {
			n = min(n, step)
		}
		if err = d.readStep(b, offset, dst[:n]); err == nil {
			dst, offset = dst[n:], offset+n
		} else if errors.Is(err, ErrOutOfMemory) && n > 1<<20 { // smaller steps need less staging memory
			step, err = roundUp(n/2, 4), nil
		}
	}
	if err != nil {
		return fmt.Errorf("gpu: Read: %w", err)
	}
	return nil
}

// readStep reads at most stagingBytes.
func (d *Device) readStep(b *Buffer, offset int, dst []byte) error {
	d.mu.Lock()
	err := d.check(b, offset, len(dst))
	if err != nil {
		d.mu.Unlock()
		return err
	}
	return d.readMemoryUnlock(b.mem, uint64(offset), dst, submission{})
}

// readMemoryUnlock reads from a buffer of the driver after the open batch,
// submitting it together with what else s asks for. It is called with the lock
// and gives it up.
func (d *Device) readMemoryUnlock(m *memory, offset uint64, dst []byte, s submission) error {
	size := uint64(roundUp(len(dst), 4))
	stage, err := d.stage(size)
	if err == nil {
		s.copies = append(s.copies, copyCommand{from: m.handle, fromOffset: offset, to: stage.handle, size: size})
		if err = d.submit(s); err != nil && d.lost == nil {
			d.staging.put(stage)
		}
	}
	seq, done := d.seq, d.done
	if err == nil {
		d.waiters.Add(1)
		defer d.waiters.Done()
	}
	d.mu.Unlock()
	if err != nil {
		return err
	}

	if err = d.waitFor(seq, done); err == nil {
		err = d.drv.read(stage.handle, dst)
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		// The device may still write to the staging buffer: it is not reused.
		return d.note(err)
	}
	d.complete(seq)
	if !d.closed {
		d.staging.put(stage)
		for _, old := range d.staging.evict(stagingBytes) {
			d.destroy(old)
		}
	}
	return nil
}

// stage returns a staging buffer.
func (d *Device) stage(size uint64) (*memory, error) {
	capacity := sizeClass(size)
	if m := d.staging.take(capacity); m != nil {
		d.stats.Reused++
		return m, nil
	}
	return d.create(capacity, stagingBuffer)
}

// Wait submits what is recorded and waits until the device finished it.
func (d *Device) Wait() error {
	d.mu.Lock()
	err := d.usable()
	if err == nil {
		err = d.submit(submission{})
	}
	if err != nil {
		d.mu.Unlock()
		return fmt.Errorf("gpu: Wait: %w", err)
	}
	seq, done := d.seq, d.done
	d.waiters.Add(1)
	defer d.waiters.Done()
	d.mu.Unlock()

	if err := d.waitFor(seq, done); err != nil {
		return fmt.Errorf("gpu: Wait: %w", d.noteUnlocked(err))
	}
	d.mu.Lock()
	d.complete(seq)
	d.mu.Unlock()
	return nil
}
