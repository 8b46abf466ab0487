//go:build js

package gpu

// The part of the driver that only browsers have. The binding awaits promises,
// so that its calls return when the work is done; there are no timestamps.

import (
	"fmt"
	"syscall/js"
	"time"

	"github.com/cogentcore/webgpu/wgpu"
)

func findAdapters() ([]candidate, error) {
	if !js.Global().Get("navigator").Truthy() || !js.Global().Get("navigator").Get("gpu").Truthy() {
		return nil, fmt.Errorf("%w: this browser has no WebGPU", ErrNoDevice)
	}
	a, err := wgpu.CreateInstance(nil).RequestAdapter(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNoDevice, err)
	}
	info := Info{Name: "browser", Backend: "webgpu", Type: Other, Limits: limitsOf(a.GetLimits().Limits)}
	info.Refused = refusal(info)
	return []candidate{{
		info: info,
		open: func() (driver, error) {
			b, err := openBinding(a, info)
			if err != nil {
				return nil, err
			}
			return b, nil
		},
		release: a.Release,
	}}, nil
}

func requestDevice(a *wgpu.Adapter, _ Info) (*wgpu.Device, error) {
	limits := a.GetLimits().Limits
	return a.RequestDevice(&wgpu.DeviceDescriptor{RequiredLimits: &wgpu.RequiredLimits{Limits: limits}})
}

func submitTo(q *wgpu.Queue, commands ...*wgpu.CommandBuffer) { q.Submit(commands...) }

func endPass(p *wgpu.ComputePassEncoder) error {
	p.End()
	return nil
}

func (b *binding) newQueries() (handle, error) { return nil, ErrNoTimestamps }

func (b *binding) freeQueries(handle) {}

func writeTimestamp(*wgpu.CommandEncoder, handle, uint32) error { return ErrNoTimestamps }

func resolveTimestamps(*wgpu.CommandEncoder, handle, *wgpu.Buffer) error { return ErrNoTimestamps }

// completions awaits the queue: in a browser all submitted work is done when
// the queue says so.
type completions struct {
	b    *binding
	last uint64 // the last submission
	done uint64 // all up to this one are complete
}

func newCompletions(b *binding) (*completions, error) { return &completions{b: b}, nil }

func (c *completions) track(seq uint64) error {
	c.last = seq
	return nil
}

func (c *completions) free() {}

func (b *binding) wait(seq uint64, _, _ time.Duration) (bool, error) {
	if b.done.done < seq {
		last := b.done.last
		b.queue.OnSubmittedWorkDone(func(wgpu.QueueWorkDoneStatus) {})
		b.done.done = max(b.done.done, last)
	}
	return b.done.done >= seq, nil
}

func (b *binding) read(h handle, dst []byte) error {
	return b.guarded(ErrDriver, func() error {
		buf := h.(*wgpu.Buffer)
		size := roundUp(len(dst), 4)
		if err := buf.MapAsync(wgpu.MapModeRead, 0, uint64(size), func(wgpu.BufferMapAsyncStatus) {}); err != nil {
			return err
		}
		copy(dst, buf.GetMappedRange(0, uint(size)))
		return buf.Unmap()
	})
}
