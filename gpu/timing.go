package gpu

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Time runs fn and returns how long the device took from the begin to the end
// of what fn recorded, by the device's own clock. It submits what was recorded
// before, and fn's work with nothing else; what other goroutines record
// meanwhile counts too. Only one Time runs at once, so fn must not call it.
//
// The first call measures the length of a tick of that clock, which takes some
// tens of milliseconds. The error is ErrNoTimestamps where the device has no
// such clock, and fn's own where that fails.
func (d *Device) Time(fn func() error) (time.Duration, error) {
	d.timing.Lock()
	defer d.timing.Unlock()
	if err := d.prepareTiming(); err != nil {
		return 0, fmt.Errorf("gpu: Time: %w", err)
	}
	if err := d.beginTiming(); err != nil {
		return 0, fmt.Errorf("gpu: Time: %w", err)
	}
	defer func() { // where fn fails or panics
		d.mu.Lock()
		d.beginNext = false
		d.mu.Unlock()
	}()
	if err := fn(); err != nil {
		return 0, err
	}
	first, last, err := d.endTiming()
	if err != nil {
		return 0, fmt.Errorf("gpu: Time: %w", err)
	}
	if last < first {
		return 0, fmt.Errorf("gpu: Time: %w: the device's clock ran backwards, from %d to %d", ErrDriver, first, last)
	}
	return time.Duration(float64(last-first) * d.Info().NsPerTick), nil
}

// prepareTiming makes the query objects and calibrates, once.
func (d *Device) prepareTiming() error {
	d.mu.Lock()
	err := d.usable()
	if err == nil && !d.info.Timestamps {
		err = fmt.Errorf("%w: %s", ErrNoTimestamps, d.info.Name)
	}
	if err == nil && d.queries == nil {
		if d.resolve == nil {
			d.resolve, err = d.create(sizeStep, resolveBuffer)
		}
		if err == nil {
			d.queries, err = d.drv.newQueries()
			err = d.note(err)
		}
	}
	calibrated := d.info.NsPerTick != 0
	d.mu.Unlock()
	if err != nil || calibrated {
		return err
	}
	return d.calibrate()
}

// beginTiming submits what is recorded; the next submission takes timestamp 0.
func (d *Device) beginTiming() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.usable(); err != nil {
		return err
	}
	if err := d.submit(submission{}); err != nil {
		return err
	}
	d.beginNext = true
	return nil
}

// endTiming takes timestamp 1 behind what is recorded and reads both.
func (d *Device) endTiming() (first, last uint64, err error) {
	d.mu.Lock()
	if err := d.usable(); err != nil {
		d.mu.Unlock()
		return 0, 0, err
	}
	var ticks [16]byte
	if err := d.readMemoryUnlock(d.resolve, 0, ticks[:], submission{end: true}); err != nil {
		return 0, 0, err
	}
	return binary.LittleEndian.Uint64(ticks[:]), binary.LittleEndian.Uint64(ticks[8:]), nil
}

// calibrate measures the nanoseconds of a tick against the clock of the CPU.
// WebGPU gives no other way to learn it here.
func (d *Device) calibrate() error {
	ns, doubt, err := d.measurePeriod()
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.info.NsPerTick = snapPeriod(ns, doubt)
	d.mu.Unlock()
	return nil
}

// measurePeriod takes two timestamps some time apart, each with the interval of
// CPU time in which it was taken. It returns the nanoseconds of a tick, and how
// far that may be off, as a part of it: little, but where the machine is so busy
// that this goroutine waits for its turn at each of several attempts.
func (d *Device) measurePeriod() (ns, doubt float64, err error) {
	const enough = 0.005
	for pause := 20 * time.Millisecond; ; pause *= 2 {
		a0 := time.Now()
		if err := d.beginTiming(); err != nil {
			return 0, 0, err
		}
		if _, _, err := d.endTiming(); err != nil { // takes timestamp 0 and waits for it
			return 0, 0, err
		}
		a1 := time.Now()
		time.Sleep(pause)
		b0 := time.Now()
		first, last, err := d.endTiming() // takes timestamp 1 only: timestamp 0 is still the old one
		if err != nil {
			return 0, 0, err
		}
		b1 := time.Now()
		if last <= first {
			return 0, 0, fmt.Errorf("%w: the clock of %s stands still", ErrNoTimestamps, d.Info().Name)
		}
		// The two were taken between b0-a1 and b1-a0 apart.
		least, most := float64(b0.Sub(a1)), float64(b1.Sub(a0))
		middle := (least + most) / 2
		doubt = (most - least) / 2 / middle
		if doubt <= enough || pause >= 300*time.Millisecond {
			return middle / float64(last-first), doubt, nil
		}
	}
}

// snapPeriod returns the usual clock period next to a measured one, where one
// is within the measurement's relative doubt, and else the measured one. The
// periods: 1 ns (NVIDIA, Metal, Mesa's software), and clocks of 100, 48, 38.4,
// 27, 26, 25, 24, 19.2, 12.5, 12 and 10 MHz.
func snapPeriod(ns, doubt float64) float64 {
	best, distance := ns, math.Max(doubt, 0.005)
	for _, mhz := range []float64{1000, 100, 48, 38.4, 27, 26, 25, 24, 19.2, 12.5, 12, 10} {
		period := 1000 / mhz
		if off := math.Abs(ns/period - 1); off <= distance {
			best, distance = period, off
		}
	}
	return best
}
