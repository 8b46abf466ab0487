//go:build cgo

package gpu

// The native driver, over github.com/cogentcore/webgpu: objects and encoding.
// Adapters are in binding_native.go, submitting and waiting in binding_wait.go;
// browsers have a driver of their own, browser.go.

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cogentcore/webgpu/wgpu"
)

// binding is a device of the binding.
type binding struct {
	adapter Info
	dev     *wgpu.Device
	queue   *wgpu.Queue
	done    completions
	lost    atomic.Bool // the library gave up on the device
	closed  func()      // what remains to be done when the device is gone

	// scope is held during every call that opens an error scope. Error scopes
	// are a stack of the device, and the binding opens one around each call
	// that can fail: two at once would catch each other's errors.
	scope   sync.Mutex
	offsets [1]uint32
}

// guarded runs a call of the binding with the error scopes for itself, and
// turns a panic of the binding, and its errors, into errors of this package.
func (b *binding) guarded(refused error, f func() error) (err error) {
	if b.lost.Load() {
		return errLibraryGaveUp
	}
	b.scope.Lock()
	defer b.scope.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = classify(fmt.Sprint(p), refused)
		}
	}()
	switch err := f(); {
	case err == nil, errors.Is(err, ErrDeviceLost), errors.Is(err, ErrOutOfMemory):
		return err
	default:
		return classify(err.Error(), refused)
	}
}

// classify makes an error of the library's text. It reports lost devices and
// missing memory as validation errors in most calls.
func classify(text string, refused error) error {
	text = tidy(text)
	low := strings.ToLower(text)
	switch {
	case strings.Contains(low, "device is lost"), strings.Contains(low, "device lost"), strings.Contains(low, "parent device is lost"):
		return fmt.Errorf("%w: %s", ErrDeviceLost, text)
	case strings.Contains(low, "not enough memory"), strings.Contains(low, "out of memory"):
		return fmt.Errorf("%w: %s", ErrOutOfMemory, text)
	}
	return fmt.Errorf("%w: %s", refused, text)
}

// tidy drops the headings and blank lines of the library's reports.
func tidy(text string) string {
	var keep []string
	for _, line := range strings.Split(text, "\n") {
		if i := strings.Index(line, "(): "); i >= 0 && strings.HasPrefix(line, "wgpu.") {
			line = line[i+len("(): "):] // the binding's method
		}
		switch strings.TrimSpace(line) {
		case "", "Validation Error", "Caused by:":
		default:
			keep = append(keep, strings.TrimRight(strings.TrimPrefix(line, "    "), " "))
		}
	}
	return strings.Join(keep, "\n")
}

// limitsOf converts the adapter's limits.
func limitsOf(l wgpu.Limits) Limits {
	return Limits{
		MaxBufferSize:       l.MaxBufferSize,
		MaxBindingSize:      l.MaxStorageBufferBindingSize,
		MaxWorkgroupStorage: int(l.MaxComputeWorkgroupStorageSize),
		MaxInvocations:      int(l.MaxComputeInvocationsPerWorkgroup),
		MaxWorkgroupSizeX:   int(l.MaxComputeWorkgroupSizeX),
		MaxWorkgroupSizeY:   int(l.MaxComputeWorkgroupSizeY),
		MaxWorkgroupSizeZ:   int(l.MaxComputeWorkgroupSizeZ),
		MaxGroups:           min(int(l.MaxComputeWorkgroupsPerDimension), 65535),
		MaxStorageBuffers:   min(int(l.MaxStorageBuffersPerShaderStage), int(l.MaxBindingsPerBindGroup)-1),
		MaxParamBytes:       int(min(l.MaxUniformBufferBindingSize, arenaBytes)),
		MinUniformAlign:     int(l.MinUniformBufferOffsetAlignment),
	}
}

// openBinding opens a device with all that its adapter offers: the limits that
// WebGPU guarantees are far below what GPUs have.
func openBinding(a *wgpu.Adapter, info Info) (*binding, error) {
	b := &binding{adapter: info, closed: func() {}}
	err := b.guarded(ErrNoDevice, func() error {
		dev, err := requestDevice(a, info)
		if err != nil {
			return err
		}
		b.dev, b.queue = dev, dev.GetQueue()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (b *binding) info() Info { return b.adapter }

// usages of the buffers, by kind.
var usages = map[bufferKind]wgpu.BufferUsage{
	storageBuffer: wgpu.BufferUsageStorage | wgpu.BufferUsageCopySrc | wgpu.BufferUsageCopyDst,
	arenaBuffer:   wgpu.BufferUsageUniform | wgpu.BufferUsageCopyDst,
	stagingBuffer: wgpu.BufferUsageMapRead | wgpu.BufferUsageCopyDst,
	resolveBuffer: wgpu.BufferUsageQueryResolve | wgpu.BufferUsageCopySrc,
}

func (b *binding) newBuffer(size uint64, kind bufferKind) (h handle, err error) {
	err = b.guarded(ErrDriver, func() error {
		buf, err := b.dev.CreateBuffer(&wgpu.BufferDescriptor{Size: size, Usage: usages[kind]})
		h = buf
		return err
	})
	return h, err
}

func (b *binding) freeBuffer(h handle) {
	buf := h.(*wgpu.Buffer)
	buf.Destroy() // frees the memory now; Release alone waits for the last user
	buf.Release()
}

func (b *binding) write(h handle, offset uint64, data []byte) error {
	return b.guarded(ErrDriver, func() error { return b.queue.WriteBuffer(h.(*wgpu.Buffer), offset, data) })
}

// bindingLayout is a bind-group layout and the pipeline layout of it alone.
type bindingLayout struct {
	group    *wgpu.BindGroupLayout
	pipeline *wgpu.PipelineLayout
}

func (b *binding) newLayout(l layoutKey) (handle, error) {
	var entries []wgpu.BindGroupLayoutEntry
	if l.paramBytes > 0 {
		entries = append(entries, wgpu.BindGroupLayoutEntry{
			Binding: 0, Visibility: wgpu.ShaderStageCompute,
			Buffer: wgpu.BufferBindingLayout{Type: wgpu.BufferBindingTypeUniform, HasDynamicOffset: true, MinBindingSize: uint64(l.paramBytes)},
		})
	}
	for i := range l.writes {
		kind := wgpu.BufferBindingTypeReadOnlyStorage
		if l.writes[i] == 'w' {
			kind = wgpu.BufferBindingTypeStorage
		}
		entries = append(entries, wgpu.BindGroupLayoutEntry{
			Binding: uint32(i + 1), Visibility: wgpu.ShaderStageCompute, Buffer: wgpu.BufferBindingLayout{Type: kind},
		})
	}
	h := new(bindingLayout)
	err := b.guarded(ErrDriver, func() (err error) {
		if h.group, err = b.dev.CreateBindGroupLayout(&wgpu.BindGroupLayoutDescriptor{Entries: entries}); err != nil {
			return err
		}
		h.pipeline, err = b.dev.CreatePipelineLayout(&wgpu.PipelineLayoutDescriptor{BindGroupLayouts: []*wgpu.BindGroupLayout{h.group}})
		return err
	})
	return h, err
}

func (b *binding) freeLayout(h handle) {
	l := h.(*bindingLayout)
	l.pipeline.Release()
	l.group.Release()
}

func (b *binding) newKernel(layout handle, source, entry string) (handle, error) {
	var module *wgpu.ShaderModule
	err := b.guarded(ErrShader, func() (err error) {
		module, err = b.dev.CreateShaderModule(&wgpu.ShaderModuleDescriptor{WGSLDescriptor: &wgpu.ShaderModuleWGSLDescriptor{Code: source}})
		return err
	})
	if err != nil {
		return nil, err
	}
	defer module.Release()
	var k *wgpu.ComputePipeline
	err = b.guarded(ErrShader, func() (err error) {
		k, err = b.dev.CreateComputePipeline(&wgpu.ComputePipelineDescriptor{
			Layout:  layout.(*bindingLayout).pipeline,
			Compute: wgpu.ProgrammableStageDescriptor{Module: module, EntryPoint: entry},
		})
		return err
	})
	return k, err
}

func (b *binding) freeKernel(h handle) { h.(*wgpu.ComputePipeline).Release() }

func (b *binding) newGroup(layout, arena handle, paramBytes int, buffers []*memory) (handle, error) {
	var entries []wgpu.BindGroupEntry
	if paramBytes > 0 {
		entries = append(entries, wgpu.BindGroupEntry{Binding: 0, Buffer: arena.(*wgpu.Buffer), Size: uint64(paramBytes)})
	}
	for i, m := range buffers {
		entries = append(entries, wgpu.BindGroupEntry{Binding: uint32(i + 1), Buffer: m.handle.(*wgpu.Buffer), Size: m.size})
	}
	var g *wgpu.BindGroup
	err := b.guarded(ErrDriver, func() (err error) {
		g, err = b.dev.CreateBindGroup(&wgpu.BindGroupDescriptor{Layout: layout.(*bindingLayout).group, Entries: entries})
		return err
	})
	return g, err
}

func (b *binding) freeGroup(h handle) { h.(*wgpu.BindGroup).Release() }

// submit encodes the dispatches into one pass. A command buffer that failed to
// encode is never submitted: the library would abort the process over it.
func (b *binding) submit(s *submission) error {
	return b.guarded(ErrDriver, func() error {
		if len(s.params) > 0 {
			if err := b.queue.WriteBuffer(s.arena.(*wgpu.Buffer), 0, s.params); err != nil {
				return err
			}
		}
		if len(s.work) == 0 && len(s.copies) == 0 && s.queries == nil {
			return b.submitCommands(s.seq, nil) // uploads alone
		}
		enc, err := b.dev.CreateCommandEncoder(nil)
		if err != nil {
			return err
		}
		defer enc.Release()
		if s.begin {
			if err := writeTimestamp(enc, s.queries, 0); err != nil {
				return err
			}
		}
		if len(s.work) > 0 {
			if err := b.encodePass(enc, s.work); err != nil {
				return err
			}
		}
		if s.end {
			if err := writeTimestamp(enc, s.queries, 1); err != nil {
				return err
			}
			if err := resolveTimestamps(enc, s.queries, s.resolve.(*wgpu.Buffer)); err != nil {
				return err
			}
		}
		for _, c := range s.copies {
			if err := enc.CopyBufferToBuffer(c.from.(*wgpu.Buffer), c.fromOffset, c.to.(*wgpu.Buffer), c.toOffset, c.size); err != nil {
				return err
			}
		}
		cmd, err := enc.Finish(nil)
		if err != nil {
			return err
		}
		defer cmd.Release()
		return b.submitCommands(s.seq, cmd)
	})
}

func (b *binding) encodePass(enc *wgpu.CommandEncoder, work []command) error {
	pass := enc.BeginComputePass(nil)
	defer pass.Release()
	var current *Kernel
	for i := range work {
		w := &work[i]
		if w.kernel != current {
			current = w.kernel
			pass.SetPipeline(current.handle.(*wgpu.ComputePipeline))
		}
		var offsets []uint32
		if w.group.layout.key.paramBytes > 0 {
			b.offsets[0] = w.offset
			offsets = b.offsets[:]
		}
		pass.SetBindGroup(0, w.group.handle.(*wgpu.BindGroup), offsets)
		pass.DispatchWorkgroups(w.groups[0], w.groups[1], w.groups[2])
	}
	return pass.End()
}

// close frees the device where nothing is in flight.
func (b *binding) close(idle bool) {
	if !idle {
		return
	}
	// A device that never submitted anything leaves its first command encoder
	// behind, and the next device's submissions fail over it.
	_ = b.guarded(ErrDriver, func() error { return b.submitCommands(0, nil) })
	b.done.free()
	b.queue.Release()
	b.dev.Release()
	b.closed()
}
