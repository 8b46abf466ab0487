package gpu

import (
	"errors"
	"fmt"
	"time"
)

// Dispatch records one dispatch of a kernel: params is the uniform block
// (Program.ParamBytes bytes, or that rounded up to 16), buffers are the storage
// buffers in the order of Program.Writes, groups is the number of workgroups
// in x, y and z, 1 to 65535 each. A nil buffer stands for a small one of zeros
// and may only be bound read-only.
//
// The call returns when the work is recorded. It sees what earlier dispatches,
// Writes and Reads did to its buffers. A buffer may be bound several times
// only where none of the bindings writes.
func (d *Device) Dispatch(k *Kernel, params []byte, buffers []*Buffer, groups [3]int) error {
	if k == nil {
		return fmt.Errorf("gpu: Dispatch: %w: nil kernel", ErrInvalid)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.dispatch(k, params, buffers, groups); err != nil {
		return fmt.Errorf("gpu: Dispatch %q: %w", k.name, err)
	}
	return nil
}

func (d *Device) dispatch(k *Kernel, params []byte, buffers []*Buffer, groups [3]int) error {
	if err := d.usable(); err != nil {
		return err
	}
	if err := d.checkDispatch(k, params, buffers, groups); err != nil {
		return err
	}
	// The parameters go to the next free place of the arena.
	align := max(d.info.Limits.MinUniformAlign, paramAlign)
	offset := roundUp(len(d.params), align)
	if offset+roundUp(k.layout.key.paramBytes, paramAlign) > arenaBytes || len(d.work) == batchDispatches {
		if err := d.submit(submission{}); err != nil {
			return err
		}
		offset = 0
	}
	g, err := d.group(k.layout, d.bound(buffers))
	if err != nil {
		return err
	}
	batch := d.seq + 1
	g.batch = batch
	for i, b := range buffers {
		if b != nil {
			b.mem.batch = batch
			if k.writes[i] {
				b.mem.writer = k.name
			}
		}
	}
	if k.layout.key.paramBytes > 0 {
		end := offset + roundUp(k.layout.key.paramBytes, paramAlign)
		old := len(d.params)
		d.params = d.params[:end]
		clear(d.params[old:end])
		copy(d.params[offset:end], params)
	}
	d.work = append(d.work, command{
		kernel: k, group: g, offset: uint32(offset),
		groups: [3]uint32{uint32(groups[0]), uint32(groups[1]), uint32(groups[2])},
	})
	d.stats.Dispatches++
	if len(d.work) == batchDispatches {
		return d.submit(submission{})
	}
	return nil
}

// bound returns the memory behind the buffers, valid until the next call.
func (d *Device) bound(buffers []*Buffer) []*memory {
	d.scratch = d.scratch[:0]
	for _, b := range buffers {
		m := d.dummy
		if b != nil {
			m = b.mem
		}
		d.scratch = append(d.scratch, m)
	}
	return d.scratch
}

// checkDispatch finds every mistake that the driver would answer with an
// error much later, or with the end of the process.
func (d *Device) checkDispatch(k *Kernel, params []byte, buffers []*Buffer, groups [3]int) error {
	if k.dev != d {
		return fmt.Errorf("%w: the kernel belongs to another device", ErrInvalid)
	}
	for i, n := range groups {
		if n < 1 || n > d.info.Limits.MaxGroups {
			kind := ErrInvalid
			if n > 0 {
				kind = ErrTooLarge
			}
			return fmt.Errorf("%w: %d workgroups in dimension %c, the device takes 1 to %d", kind, n, "xyz"[i], d.info.Limits.MaxGroups)
		}
	}
	if n := k.layout.key.paramBytes; len(params) != n && len(params) != roundUp(n, paramAlign) {
		return fmt.Errorf("%w: %d parameter bytes, the kernel takes %d", ErrInvalid, len(params), n)
	}
	if len(buffers) != len(k.writes) {
		return fmt.Errorf("%w: %d buffers, the kernel takes %d", ErrInvalid, len(buffers), len(k.writes))
	}
	for i, b := range buffers {
		switch {
		case b == nil && k.writes[i]:
			return fmt.Errorf("%w: buffer %d is nil, and the kernel writes it", ErrInvalid, i)
		case b == nil:
			continue
		case b.dev != d:
			return fmt.Errorf("%w: buffer %d belongs to another device", ErrInvalid, i)
		case b.mem == nil:
			return fmt.Errorf("buffer %d: %w", i, ErrReleased)
		}
		for j, other := range buffers[:i] {
			if other == b && (k.writes[i] || k.writes[j]) {
				return fmt.Errorf("%w: one buffer is bound as %d and %d, and the kernel writes it", ErrInvalid, j, i)
			}
		}
	}
	return nil
}

// Flush submits what was recorded. It does not wait.
func (d *Device) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.usable()
	if err == nil {
		err = d.submit(submission{})
	}
	if err != nil {
		return fmt.Errorf("gpu: Flush: %w", err)
	}
	return nil
}

// submit submits the open batch, with what s asks for in addition (copies, the
// end of a timing), or does nothing where there is nothing. When it fails, the
// batch is gone.
func (d *Device) submit(s submission) error {
	if len(d.work) == 0 && len(s.copies) == 0 && !s.end && d.upload == 0 {
		return nil
	}
	if err := d.throttle(); err != nil {
		return err
	}
	s.seq = d.seq + 1
	s.arena, s.params, s.work = d.arena.handle, d.params, d.work
	if s.begin = d.beginNext; s.begin || s.end {
		s.queries, s.resolve = d.queries, d.resolve.handle
	}
	err := d.note(d.drv.submit(&s))
	dropped := len(d.work)
	clear(d.work)
	d.work, d.params = d.work[:0], d.params[:0]
	if err == nil {
		d.seq++
		d.flight = append(d.flight, flight{d.seq, d.upload})
		d.flightSize += d.upload
		d.stats.Submits++
		d.beginNext = false
	}
	d.upload = 0
	for i, g := range d.retired { // no recorded work names them any more
		d.drv.freeGroup(g.handle)
		d.retired[i] = nil
	}
	d.retired = d.retired[:0]
	if err != nil && dropped > 0 && !errors.Is(err, ErrDeviceLost) {
		err = fmt.Errorf("%d recorded dispatches were dropped: %w", dropped, err)
	}
	return err
}

// throttle waits while too much is under way: a program that records faster
// than its device works would pile up the driver's memory.
func (d *Device) throttle() error {
	for len(d.flight) >= flightDepth || d.flightSize > flightBytes {
		if err := d.await(d.flight[0].seq); err != nil {
			return err
		}
	}
	return nil
}

// await waits for submission seq, holding the lock.
func (d *Device) await(seq uint64) error {
	err := d.waitFor(seq, d.done)
	if err == nil {
		d.complete(seq)
	}
	return d.note(err)
}

// complete notes that the submissions up to seq are complete.
func (d *Device) complete(seq uint64) {
	d.done = max(d.done, seq)
	n := 0
	for n < len(d.flight) && d.flight[n].seq <= d.done {
		d.flightSize -= d.flight[n].upload
		n++
	}
	if n > 0 {
		d.flight = d.flight[:copy(d.flight, d.flight[n:])]
	}
}

// waitFor waits until submission seq is complete, where done are known to be.
// It needs no lock.
func (d *Device) waitFor(seq, done uint64) error {
	if seq <= done {
		return nil
	}
	start := time.Now()
	for {
		waited := time.Since(start)
		ok, err := d.drv.wait(seq, waited, waitSlice)
		switch {
		case err != nil:
			return err
		case ok:
			return nil
		case d.closing.Load():
			return ErrClosed
		case d.opts.Timeout > 0 && waited > d.opts.Timeout:
			return fmt.Errorf("%w after %v", ErrTimeout, d.opts.Timeout)
		}
	}
}
