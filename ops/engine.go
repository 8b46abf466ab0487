package ops

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/kansu-dev/kansu/gpu"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Engine owns a device, a GPU or the pure-Go fallback, and the tensors on it.
// It is safe for use by many goroutines. A process may have several engines;
// a tensor belongs to the one that made it.
type Engine struct {
	*core
	rec *recorder // not nil in the engine that a Replay is recorded with
}

// core is what an engine shares with the recordings that are made on it.
type core struct {
	device Device
	dev    *gpu.Device // nil: pure Go
	limits shaders.Device
	host   hostPool
	closed atomic.Bool
	table  atomic.Pointer[shaders.Table] // nil: the models alone choose kernels

	mu      sync.RWMutex
	kernels map[*shaders.Kernel]*gpu.Kernel
	forced  map[string]string
	live    atomic.Int64 // storages not yet released

	pressure pressure

	chains chains
}

// Device says what an engine computes on.
type Device struct {
	Name    string // the adapter's name, or "pure Go"
	Backend string // "vulkan", "metal", "dx12", or "cpu" for pure Go
	Type    string // "discrete", "integrated", "virtual", "cpu"
	Driver  string
	GPU     bool   // shaders run (on a software adapter too); false in pure Go
	Why     string // in pure Go: why there is no GPU
	Table   string `json:",omitempty"` // the table that chooses kernels before the models do: a file, "built in" or nothing
}

// String returns one line for a log.
func (d Device) String() string {
	if d.GPU {
		return fmt.Sprintf("%s (%s, %s)", d.Name, d.Type, d.Backend)
	}
	return fmt.Sprintf("%s (%s)", d.Name, d.Why)
}

type options struct {
	adapter string
	needGPU bool
	debug   bool
	tuning  string
	forced  map[string]string
}

// Option configures Open.
type Option func(*options)

// WithAdapter chooses the adapter by a part of its name, vendor or backend, or
// pure Go by "cpu" or "none". Without it the environment variable
// KANSU_ADAPTER decides, and without that the best adapter is taken.
func WithAdapter(name string) Option { return func(o *options) { o.adapter = name } }

// RequireGPU makes Open fail, rather than fall back to pure Go, where there is
// no adapter.
func RequireGPU() Option { return func(o *options) { o.needGPU = true } }

// WithDebug fills new buffers with NaN and guards their ends; CheckGuards tells
// whether a kernel wrote outside of its output. It is slow and meant for tests.
func WithDebug() Option { return func(o *options) { o.debug = true } }

// WithKernel forces the kernel of a function: WithKernel("conv", "naive").
func WithKernel(function, variant string) Option {
	return func(o *options) { o.forced[function] = variant }
}

// WithoutFusion has every call computed by itself. Without it consecutive
// pointwise calls, and those that follow a convolution or a matrix product, become
// one pass where nothing else reads what is between; the values are the same to
// the last bit. It is for finding out what takes the time.
func WithoutFusion() Option { return WithKernel("fused", "apart") }

// Open opens an engine on the best device there is. Where there is no usable
// adapter, or the program was built without cgo, it falls back to pure Go, and
// Engine.Device says so and why. An adapter that was asked for by name and is
// not there is an error, as is a missing one under RequireGPU (ErrNoDevice).
func Open(opts ...Option) (*Engine, error) {
	o := options{forced: map[string]string{}}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	e := &Engine{core: &core{forced: o.forced, kernels: map[*shaders.Kernel]*gpu.Kernel{}}}
	adapter := o.adapter
	if adapter == "" {
		adapter = os.Getenv("KANSU_ADAPTER")
	}
	own, err := readTable(o.tuning)
	if err != nil {
		return nil, fmt.Errorf("ops.Open: %w", err)
	}
	dev, err := gpu.Open(gpu.Options{Adapter: adapter, Debug: o.debug})
	switch {
	case err == nil:
		e.useGPU(dev)
		if err := e.tune(own); err != nil {
			return nil, errors.Join(fmt.Errorf("ops.Open: %w", err), e.Close())
		}
		return e, nil
	case o.needGPU:
		return nil, fmt.Errorf("ops.Open: %w", err)
	case adapter != "" && !pureGo(adapter):
		return nil, fmt.Errorf("ops.Open: adapter %q: %w", adapter, err)
	}
	e.device = Device{Name: "pure Go", Backend: "cpu", Type: "cpu", Driver: runtime.GOARCH, Why: err.Error()}
	e.limits = shaders.Baseline
	return e, nil
}

func pureGo(adapter string) bool {
	return strings.EqualFold(adapter, "cpu") || strings.EqualFold(adapter, "none")
}

func (e *Engine) useGPU(dev *gpu.Device) {
	info := dev.Info()
	e.dev = dev
	e.device = Device{Name: info.Name, Backend: info.Backend, Type: info.Type.String(), Driver: info.Driver, GPU: true}
	l := info.Limits
	e.limits = shaders.Device{
		Name:              info.Name,
		CPU:               info.Type == gpu.CPU,
		MaxBindingBytes:   int64(min(l.MaxBindingSize, l.MaxBufferSize)),
		MaxGroups:         l.MaxGroups,
		MaxInvocations:    l.MaxInvocations,
		WorkgroupBytes:    l.MaxWorkgroupStorage,
		MaxStorageBuffers: l.MaxStorageBuffers,
	}
	if e.limits.CPU {
		e.limits.MaxLoop = shaders.SoftwareLoops
	}
}

// errNoEngine marks an engine that Open did not return: one whose error was not
// looked at.
var errNoEngine = fmt.Errorf("%w: the engine; did Open fail?", ErrNil)

// none reports whether there is no engine behind e.
func (e *Engine) none() bool { return e == nil || e.core == nil }

// Device returns what the engine computes on.
func (e *Engine) Device() Device {
	if e.none() {
		return Device{Name: "none", Why: errNoEngine.Error()}
	}
	return e.device
}

// GPU returns the device beneath, for statistics and timing; nil in pure Go.
func (e *Engine) GPU() *gpu.Device {
	if e.none() {
		return nil
	}
	_ = e.settleAll() // its error comes with the data
	return e.dev
}

// Force makes a function use one of its kernels, by the name that Explain
// prints; the empty name lifts that. In pure Go the name "plain" forces the
// plain loops. A call that the kernel cannot serve returns ErrUnsupported.
func (e *Engine) Force(function, variant string) {
	if e.none() {
		return
	}
	_ = e.settleAll() // what was called before is not meant; its error comes with the data
	e.mu.Lock()
	defer e.mu.Unlock()
	if variant == "" {
		delete(e.forced, function)
		return
	}
	e.forced[function] = variant
}

func (e *Engine) force(function string) string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.forced[function]
}

// Flush sends the recorded work to the device without waiting for it.
func (e *Engine) Flush() error {
	if e.none() {
		return fail("Flush", errNoEngine)
	}
	if e.closed.Load() {
		return fail("Flush", ErrClosed)
	}
	if err := e.settleAll(); err != nil || e.dev == nil {
		return fail("Flush", err)
	}
	return fail("Flush", e.dev.Flush())
}

// Wait sends the recorded work to the device and waits until it is done.
func (e *Engine) Wait() error {
	if e.none() {
		return fail("Wait", errNoEngine)
	}
	if e.closed.Load() {
		return fail("Wait", ErrClosed)
	}
	if err := e.settleAll(); err != nil || e.dev == nil {
		return fail("Wait", err)
	}
	return fail("Wait", e.dev.Wait())
}

// Stats counts what an engine holds.
type Stats struct {
	LiveTensors int64     // storages in use; views share one
	HostPooled  int64     // bytes of idle memory kept for reuse, in pure Go
	GPU         gpu.Stats // zero in pure Go
}

// Stats returns what the engine holds now.
func (e *Engine) Stats() Stats {
	if e.none() {
		return Stats{}
	}
	_ = e.settleAll() // its error comes with the data
	s := Stats{LiveTensors: e.live.Load(), HostPooled: e.host.idleBytes()}
	if e.dev != nil {
		s.GPU = e.dev.Stats()
	}
	return s
}

// CheckGuards reports a kernel that wrote outside of its output, under WithDebug.
func (e *Engine) CheckGuards() error {
	if e.none() || e.dev == nil {
		return nil
	}
	if err := e.settleAll(); err != nil {
		return err
	}
	return e.dev.CheckGuards()
}

// Close releases the device and everything on it. Later calls return ErrClosed.
func (e *Engine) Close() error {
	if e.none() || e.closed.Swap(true) {
		return nil
	}
	_ = e.settleAll() // ErrClosed, for those who wait for it
	if e.dev == nil {
		return nil
	}
	return e.dev.Close()
}

// kernel returns the compiled form of a shader.
func (e *Engine) kernel(k *shaders.Kernel) (*gpu.Kernel, error) {
	e.mu.RLock()
	c := e.kernels[k]
	e.mu.RUnlock()
	if c != nil {
		return c, nil
	}
	c, err := e.dev.Kernel(&gpu.Program{Name: k.Name, Source: k.Source, Writes: k.Writes, ParamBytes: k.ParamBytes})
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.kernels[k] = c
	e.mu.Unlock()
	return c, nil
}

// checkSize refuses a tensor of n elements that the device cannot bind.
func (e *Engine) checkSize(shape []int, n int) error {
	if e.dev != nil && int64(n)*4 > e.limits.MaxBindingBytes {
		return &spec.Error{Kind: ErrTooLarge, Message: fmt.Sprintf(
			"a tensor of shape %v takes %d bytes; %s binds at most %d", shape, int64(n)*4, e.device.Name, e.limits.MaxBindingBytes)}
	}
	return nil
}

// PlanDevice returns the limits and kind of the device, as plans depend on
// them; the guaranteed minimum in pure Go.
func (e *Engine) PlanDevice() shaders.Device {
	if e.none() {
		return shaders.Baseline
	}
	d := e.limits
	d.Table = e.table.Load()
	return d
}
