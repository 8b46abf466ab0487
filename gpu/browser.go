//go:build js

package gpu

// The browser driver: navigator.gpu, called directly. The half of the binding
// that is for js needs a global named wasm for each upload (jsx.BytesToJS),
// opens devices with default limits only, takes a rejected mapping for a
// success and sees no errors at all, since in a browser they arrive through
// promises.

import (
	"errors"
	"fmt"
	"sync"
	"syscall/js"
	"time"
)

// await waits for a promise. It must not be called from a callback of
// JavaScript, which would wait for itself.
func await(promise js.Value) (js.Value, error) {
	type result struct {
		value js.Value
		err   error
	}
	done := make(chan result, 1)
	settle := func(ok bool) js.Func {
		return js.FuncOf(func(_ js.Value, args []js.Value) any {
			r := result{}
			if len(args) > 0 {
				r.value = args[0]
			}
			if !ok {
				r.err = errors.New(jsText(r.value))
			}
			done <- r
			return nil
		})
	}
	yes, no := settle(true), settle(false)
	defer yes.Release()
	defer no.Release()
	promise.Call("then", yes, no)
	r := <-done
	return r.value, r.err
}

// jsText is the message of a thrown or rejected value.
func jsText(v js.Value) string {
	if v.Type() == js.TypeObject {
		if m := v.Get("message"); m.Type() == js.TypeString {
			return m.String()
		}
	}
	return v.String()
}

// attempt runs f and makes an error of what JavaScript throws in it.
func attempt(kind error, f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case js.Error:
			err = fmt.Errorf("%w: %s", kind, jsText(r.Value))
		case *js.ValueError:
			err = fmt.Errorf("%w: %s", kind, r.Error())
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

func findAdapters() ([]candidate, error) {
	navigator := js.Global().Get("navigator")
	if !navigator.Truthy() || !navigator.Get("gpu").Truthy() {
		return nil, fmt.Errorf("%w: this browser has no WebGPU (navigator.gpu)", ErrNoDevice)
	}
	var adapter js.Value
	var failed error
	err := attempt(ErrNoDevice, func() {
		adapter, failed = await(navigator.Get("gpu").Call("requestAdapter", map[string]any{"powerPreference": "high-performance"}))
	})
	switch {
	case err != nil:
		return nil, err
	case failed != nil:
		return nil, fmt.Errorf("%w: %s", ErrNoDevice, failed)
	case !adapter.Truthy():
		return nil, nil
	}
	info := describeBrowser(adapter)
	return []candidate{{
		info:    info,
		open:    func() (driver, error) { return openBrowser(adapter, info) },
		release: func() {},
	}}, nil
}

func describeBrowser(adapter js.Value) Info {
	i := Info{Name: "WebGPU", Backend: "webgpu", Type: Other}
	text := func(v js.Value, name string) string {
		if s := v.Get(name); s.Type() == js.TypeString {
			return s.String()
		}
		return ""
	}
	if info := adapter.Get("info"); info.Truthy() {
		i.Vendor = text(info, "vendor")
		for _, name := range []string{"description", "device", "architecture", "vendor"} {
			if s := text(info, name); s != "" { // browsers blank out most of them
				i.Name = s
				break
			}
		}
		if info.Get("isFallbackAdapter").Truthy() || softwareName(i.Name) {
			i.Type = CPU
		}
	}
	number := func(name string) uint64 {
		if v := adapter.Get("limits").Get(name); v.Type() == js.TypeNumber {
			return uint64(v.Float())
		}
		return 0
	}
	i.Limits = Limits{
		MaxBufferSize:       number("maxBufferSize"),
		MaxBindingSize:      number("maxStorageBufferBindingSize"),
		MaxWorkgroupStorage: int(number("maxComputeWorkgroupStorageSize")),
		MaxInvocations:      int(number("maxComputeInvocationsPerWorkgroup")),
		MaxWorkgroupSizeX:   int(number("maxComputeWorkgroupSizeX")),
		MaxWorkgroupSizeY:   int(number("maxComputeWorkgroupSizeY")),
		MaxWorkgroupSizeZ:   int(number("maxComputeWorkgroupSizeZ")),
		MaxGroups:           min(int(number("maxComputeWorkgroupsPerDimension")), 65535),
		MaxStorageBuffers:   int(number("maxStorageBuffersPerShaderStage")),
		MaxParamBytes:       int(min(number("maxUniformBufferBindingSize"), arenaBytes)),
		MinUniformAlign:     int(number("minUniformBufferOffsetAlignment")),
	}
	// Timestamps of browsers belong to passes and are coarse on purpose: not used.
	each := js.FuncOf(func(_ js.Value, args []js.Value) any {
		i.Features = append(i.Features, args[0].String())
		return nil
	})
	defer each.Release()
	adapter.Get("features").Call("forEach", each)
	i.Refused = refusal(i)
	return i
}

// browser is a device of a browser.
type browser struct {
	adapter Info
	device  js.Value
	queue   js.Value

	mu        sync.Mutex
	completed uint64
	changed   chan struct{} // closed and replaced when completed or err change
	err       error         // a lost device or an error that arrived late
}

// What an adapter's limits are called; all are asked for.
var browserLimits = []string{
	"maxBufferSize", "maxStorageBufferBindingSize", "maxUniformBufferBindingSize",
	"maxStorageBuffersPerShaderStage", "maxComputeWorkgroupStorageSize",
	"maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupSizeX", "maxComputeWorkgroupSizeY",
	"maxComputeWorkgroupSizeZ", "maxComputeWorkgroupsPerDimension", "minUniformBufferOffsetAlignment",
}

func openBrowser(adapter js.Value, info Info) (driver, error) {
	b := &browser{adapter: info, changed: make(chan struct{})}
	limits := map[string]any{}
	for _, name := range browserLimits {
		limits[name] = adapter.Get("limits").Get(name)
	}
	var failed error
	err := attempt(ErrNoDevice, func() {
		b.device, failed = await(adapter.Call("requestDevice", map[string]any{"requiredLimits": limits}))
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("%w: %s", ErrNoDevice, failed)
	}
	if err != nil {
		return nil, err
	}
	b.queue = b.device.Get("queue")
	// These two functions are never released: the browser may call them after
	// the device was closed.
	lost := callback(func(args []js.Value) {
		b.fail(fmt.Errorf("%w: %s", ErrDeviceLost, jsText(args[0])))
	})
	b.device.Get("lost").Call("then", lost)
	b.device.Set("onuncapturederror", callback(func(args []js.Value) {
		args[0].Call("preventDefault") // else the browser prints it
		b.fail(fmt.Errorf("%w: %s", ErrDriver, jsText(args[0].Get("error"))))
	}))
	return b, nil
}

// callback makes a function of JavaScript.
func callback(f func(args []js.Value)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args)
		return nil
	})
}

// once makes a function that is released by its first call.
func once(f func(args []js.Value)) js.Func {
	var fn js.Func
	fn = js.FuncOf(func(_ js.Value, args []js.Value) any {
		fn.Release()
		f(args)
		return nil
	})
	return fn
}

// fail keeps an error that belongs to no call, for the next one to report. A
// lost device stays lost.
func (b *browser) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil || errors.Is(err, ErrDeviceLost) {
		b.err = err
	}
	b.wake()
}

// wake lets waiting goroutines look again; the lock is held.
func (b *browser) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// late takes the error that arrived since the last call.
func (b *browser) late() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.err
	if !errors.Is(err, ErrDeviceLost) {
		b.err = nil
	}
	return err
}

// scoped runs f within error scopes and waits for what they caught. filters
// are "validation" and "out-of-memory".
func (b *browser) scoped(kind error, f func(), filters ...string) error {
	for _, filter := range filters {
		b.device.Call("pushErrorScope", filter)
	}
	first := attempt(kind, f)
	for i := len(filters) - 1; i >= 0; i-- {
		e, err := await(b.device.Call("popErrorScope"))
		if first != nil || err != nil || !e.Truthy() { // err: the device is lost, which is reported elsewhere
			continue
		}
		if filters[i] == "out-of-memory" {
			kind = ErrOutOfMemory
		}
		first = fmt.Errorf("%w: %s", kind, jsText(e))
	}
	if lost := b.late(); lost != nil && first == nil {
		return lost
	}
	return first
}

func (b *browser) info() Info { return b.adapter }

// Buffers from this size on are made within error scopes, which costs a turn
// of the browser's event loop; smaller ones hardly run out of memory, and
// would be reported late.
const scopedBuffer = 1 << 20

func (b *browser) newBuffer(size uint64, kind bufferKind) (handle, error) {
	const mapRead, copySrc, copyDst, uniform, storage = 0x01, 0x04, 0x08, 0x40, 0x80
	usage := map[bufferKind]int{
		storageBuffer: storage | copySrc | copyDst,
		arenaBuffer:   uniform | copyDst,
		stagingBuffer: mapRead | copyDst,
	}[kind]
	var buffer js.Value
	create := func() {
		buffer = b.device.Call("createBuffer", map[string]any{"size": float64(size), "usage": usage})
	}
	var err error
	if size >= scopedBuffer {
		err = b.scoped(ErrDriver, create, "validation", "out-of-memory")
	} else {
		err = attempt(ErrDriver, create)
	}
	if err != nil {
		return nil, err
	}
	return buffer, nil
}

// freeBuffer destroys: JavaScript's collector does not know how much memory of
// the device hangs on a buffer.
func (b *browser) freeBuffer(h handle) { h.(js.Value).Call("destroy") }

// toJS copies bytes to a new typed array.
func toJS(data []byte) js.Value {
	a := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(a, data)
	return a
}

func (b *browser) write(h handle, offset uint64, data []byte) error {
	if err := b.late(); err != nil {
		return err
	}
	return attempt(ErrDriver, func() { b.queue.Call("writeBuffer", h.(js.Value), float64(offset), toJS(data)) })
}

// browserLayout is a bind-group layout and the pipeline layout of it alone.
type browserLayout struct{ group, pipeline js.Value }

func (b *browser) newLayout(l layoutKey) (handle, error) {
	const compute = 4
	var entries []any
	if l.paramBytes > 0 {
		entries = append(entries, map[string]any{"binding": 0, "visibility": compute,
			"buffer": map[string]any{"type": "uniform", "hasDynamicOffset": true, "minBindingSize": l.paramBytes}})
	}
	for i := range l.writes {
		kind := "read-only-storage"
		if l.writes[i] == 'w' {
			kind = "storage"
		}
		entries = append(entries, map[string]any{"binding": i + 1, "visibility": compute, "buffer": map[string]any{"type": kind}})
	}
	h := new(browserLayout)
	err := b.scoped(ErrDriver, func() {
		h.group = b.device.Call("createBindGroupLayout", map[string]any{"entries": entries})
		h.pipeline = b.device.Call("createPipelineLayout", map[string]any{"bindGroupLayouts": []any{h.group}})
	}, "validation")
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (b *browser) freeLayout(handle) {} // JavaScript's collector does

func (b *browser) newKernel(layout handle, source, entry string) (handle, error) {
	var module, pipeline js.Value
	err := b.scoped(ErrShader, func() {
		module = b.device.Call("createShaderModule", map[string]any{"code": source})
	}, "validation")
	if text := compilationErrors(module); text != "" {
		return nil, fmt.Errorf("%w: %s", ErrShader, text)
	}
	if err != nil {
		return nil, err
	}
	err = b.scoped(ErrShader, func() {
		pipeline = b.device.Call("createComputePipeline", map[string]any{
			"layout":  layout.(*browserLayout).pipeline,
			"compute": map[string]any{"module": module, "entryPoint": entry},
		})
	}, "validation")
	if err != nil {
		return nil, err
	}
	return pipeline, nil
}

// compilationErrors is the compiler's errors about a module, each with its
// place in the source as explainShader looks for it.
func compilationErrors(module js.Value) string {
	if !module.Truthy() || module.Get("getCompilationInfo").Type() != js.TypeFunction {
		return ""
	}
	info, err := await(module.Call("getCompilationInfo"))
	if err != nil {
		return ""
	}
	text := ""
	for i := range info.Get("messages").Length() {
		m := info.Get("messages").Index(i)
		if m.Get("type").String() == "error" {
			text += fmt.Sprintf("wgsl:%d:%d: %s\n", m.Get("lineNum").Int(), m.Get("linePos").Int(), m.Get("message").String())
		}
	}
	return text
}

func (b *browser) freeKernel(handle) {}

func (b *browser) newGroup(layout, arena handle, paramBytes int, buffers []*memory) (handle, error) {
	var entries []any
	bind := func(binding int, buffer handle, size uint64) {
		entries = append(entries, map[string]any{"binding": binding,
			"resource": map[string]any{"buffer": buffer.(js.Value), "size": float64(size)}})
	}
	if paramBytes > 0 {
		bind(0, arena, uint64(paramBytes))
	}
	for i, m := range buffers {
		bind(i+1, m.handle, m.size)
	}
	var group js.Value
	err := attempt(ErrDriver, func() {
		group = b.device.Call("createBindGroup", map[string]any{"layout": layout.(*browserLayout).group, "entries": entries})
	})
	if err != nil {
		return nil, err
	}
	return group, nil
}

func (b *browser) freeGroup(handle) {}

func (b *browser) newQueries() (handle, error) {
	return nil, fmt.Errorf("%w: not in a browser", ErrNoTimestamps)
}

func (b *browser) freeQueries(handle) {}

func (b *browser) submit(s *submission) error {
	if err := b.late(); err != nil {
		return err
	}
	return attempt(ErrDriver, func() {
		if len(s.params) > 0 {
			b.queue.Call("writeBuffer", s.arena.(js.Value), 0, toJS(s.params))
		}
		encoder := b.device.Call("createCommandEncoder")
		if len(s.work) > 0 {
			encodeBrowser(encoder.Call("beginComputePass"), s.work)
		}
		for _, c := range s.copies {
			encoder.Call("copyBufferToBuffer", c.from.(js.Value), float64(c.fromOffset), c.to.(js.Value), float64(c.toOffset), float64(c.size))
		}
		b.queue.Call("submit", []any{encoder.Call("finish")})
		seq := s.seq
		b.queue.Call("onSubmittedWorkDone").Call("then", once(func([]js.Value) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.completed = max(b.completed, seq)
			b.wake()
		}))
	})
}

func encodeBrowser(pass js.Value, work []command) {
	var last *Kernel
	for i := range work {
		w := &work[i]
		if w.kernel != last {
			last = w.kernel
			pass.Call("setPipeline", last.handle.(js.Value))
		}
		if w.group.layout.key.paramBytes > 0 {
			pass.Call("setBindGroup", 0, w.group.handle.(js.Value), []any{w.offset})
		} else {
			pass.Call("setBindGroup", 0, w.group.handle.(js.Value))
		}
		pass.Call("dispatchWorkgroups", w.groups[0], w.groups[1], w.groups[2])
	}
	pass.Call("end")
}

func (b *browser) wait(seq uint64, _, slice time.Duration) (bool, error) {
	timer := time.NewTimer(slice)
	defer timer.Stop()
	for {
		b.mu.Lock()
		completed, changed, err := b.completed, b.changed, b.err
		b.mu.Unlock()
		switch {
		case completed >= seq:
			return true, b.late() // errors of this work came before its end
		case errors.Is(err, ErrDeviceLost):
			return false, err
		}
		select {
		case <-changed:
		case <-timer.C:
			return false, nil
		}
	}
}

func (b *browser) read(h handle, dst []byte) error {
	buffer, size := h.(js.Value), roundUp(len(dst), 4)
	const mapRead = 1
	var failed error
	err := attempt(ErrDriver, func() {
		if _, failed = await(buffer.Call("mapAsync", mapRead, 0, size)); failed == nil {
			js.CopyBytesToGo(dst, js.Global().Get("Uint8Array").New(buffer.Call("getMappedRange", 0, size)))
			buffer.Call("unmap")
		}
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		if lost := b.late(); lost != nil {
			return lost
		}
		return fmt.Errorf("%w: %s", ErrDriver, failed)
	}
	return b.late()
}

func (b *browser) close(bool) {
	b.device.Set("onuncapturederror", js.Null())
	b.device.Call("destroy")
}
