package gpu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Guard zones (Options.Debug): the bytes between the end of a buffer and the
// end of its memory are filled with a NaN pattern and must keep it. A kernel
// binds the whole memory, so a write that is a little out of bounds lands in
// the zone rather than being cut off by the device.

// zone returns where the guard zone of a live buffer begins, and its length.
func (b *Buffer) zone() (offset uint64, n int) {
	offset = uint64(roundUp(b.size, 4))
	return offset, int(b.mem.size - offset)
}

// checkZoneUnlock reads and verifies the guard zone of a buffer. It is called
// with the lock and gives it up.
func (b *Buffer) checkZoneUnlock() error {
	d := b.dev
	offset, n := b.zone()
	writer := b.mem.writer
	got := make([]byte, n)
	if err := d.readMemoryUnlock(b.mem, offset, got, submission{}); err != nil {
		return err
	}
	return brokenZone(got, b.size, writer)
}

// brokenZone describes what was written to a guard zone, or returns nil.
func brokenZone(got []byte, size int, writer string) error {
	first, last := -1, 0
	for i := 0; i+4 <= len(got); i += 4 {
		if binary.LittleEndian.Uint32(got[i:]) != poisonWord {
			if first < 0 {
				first = i
			}
			last = i + 4
		}
	}
	if first < 0 {
		return nil
	}
	start := roundUp(size, 4)
	return fmt.Errorf("%w: bytes %d to %d were written behind a buffer of %d bytes; the last kernel that had it writable is %q",
		ErrGuard, start+first, start+last, size, writer)
}

// releaseChecked is Release with Options.Debug.
func (b *Buffer) releaseChecked() {
	d := b.dev
	d.mu.Lock()
	var err error
	if b.mem != nil && d.usable() == nil {
		err = b.checkZoneUnlock()
		d.mu.Lock()
	}
	defer d.mu.Unlock()
	if errors.Is(err, ErrGuard) && b.mem != nil {
		d.broken = append(d.broken, err)
	}
	delete(d.guarded, b)
	b.release()
}

// CheckGuards verifies the guard zones of all live buffers and reports those
// that were found broken at their Release since the last call. The error is
// ErrGuard, or nil where all is well or Options.Debug is off.
func (d *Device) CheckGuards() error {
	d.mu.Lock()
	if err := d.usable(); err != nil {
		d.mu.Unlock()
		return fmt.Errorf("gpu: CheckGuards: %w", err)
	}
	found := d.broken
	d.broken = nil
	var live []*Buffer
	for b := range d.guarded {
		live = append(live, b)
	}
	d.mu.Unlock()
	slices.SortFunc(live, func(a, b *Buffer) int { return a.size - b.size })

	for _, b := range live {
		d.mu.Lock()
		if b.mem == nil || d.usable() != nil { // released or closed meanwhile
			d.mu.Unlock()
			continue
		}
		if err := b.checkZoneUnlock(); err != nil {
			found = append(found, err)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("gpu: CheckGuards: %w", errors.Join(found...))
}
