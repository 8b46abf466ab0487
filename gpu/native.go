//go:build cgo

package gpu

// The native driver: wgpu-native, through the C files beside this one. The
// library comes with the binding, which is imported for its linker flags; its
// Go layer is not used for what runs here, because it hands pointers of the
// garbage collector to C (its MapAsync panics when a collection comes between
// the call and its callback), passes uninitialised memory as limits, and
// leaves the error handlers of a device at their default, which is to abort.

/*
#include <stdlib.h>
#include "native_api.h"
#include "native_shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	_ "github.com/cogentcore/webgpu/wgpu" // links the library
)

// instance is the process's one WebGPU instance. It is never released: drivers
// do not take being unloaded and loaded again well.
var instance struct {
	sync.Mutex
	ref unsafe.Pointer
}

// call runs a function of the C side. A thread on which the library panicked
// before refuses (see native_guard.c); then another thread is found.
func call(f func() C.int) C.int {
	rc := f()
	for rc == C.KANSU_TAINTED {
		done := make(chan C.int)
		go func() {
			runtime.LockOSThread()
			rc := f()
			if rc != C.KANSU_TAINTED && rc != C.KANSU_PANICKED {
				runtime.UnlockOSThread() // else the thread ends with this goroutine
			}
			done <- rc
		}()
		rc = <-done
	}
	return rc
}

// takeText returns the text of a message and frees it.
func takeText(m *C.kansu_message) string {
	if m.text == nil {
		return ""
	}
	s := C.GoString(m.text)
	C.free(unsafe.Pointer(m.text))
	m.text = nil
	return s
}

// asError makes an error of a C result. refused is what a plain refusal means
// for this call: ErrDriver or ErrShader.
func asError(rc C.int, m *C.kansu_message, refused error) error {
	text := tidy(takeText(m))
	switch rc {
	case C.KANSU_OK:
		return nil
	case C.KANSU_NO_MEMORY:
		return fmt.Errorf("%w: %s", ErrOutOfMemory, text)
	case C.KANSU_LOST:
		if text == "" {
			text = "the driver reset or removed it"
		}
		return fmt.Errorf("%w: %s", ErrDeviceLost, text)
	case C.KANSU_PANICKED:
		return fmt.Errorf("%w: the library gave up on the call; it wrote why to standard error", refused)
	}
	return classify(text, refused)
}

// classify makes an error of the library's text. It reports lost devices and
// missing memory as validation errors in most calls.
func classify(text string, refused error) error {
	low := strings.ToLower(text)
	switch {
	case strings.Contains(low, "device is lost"), strings.Contains(low, "device lost"):
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
		switch strings.TrimSpace(line) {
		case "", "Validation Error", "Caused by:":
		default:
			keep = append(keep, strings.TrimRight(strings.TrimPrefix(line, "    "), " "))
		}
	}
	return strings.Join(keep, "\n")
}

func findAdapters() ([]candidate, error) {
	instance.Lock()
	defer instance.Unlock()
	if instance.ref == nil {
		if rc := call(func() C.int { return C.kansu_instance(&instance.ref) }); rc != C.KANSU_OK {
			instance.ref = nil
			return nil, fmt.Errorf("%w: the WebGPU library did not start (code %d)", ErrNoDevice, int(rc))
		}
	}
	var n C.size_t
	if rc := call(func() C.int { return C.kansu_adapter_count(instance.ref, &n) }); rc != C.KANSU_OK {
		return nil, fmt.Errorf("%w: the adapters could not be listed (code %d)", ErrNoDevice, int(rc))
	}
	if n == 0 {
		return nil, nil
	}
	refs := make([]unsafe.Pointer, n)
	if rc := call(func() C.int { return C.kansu_adapters(instance.ref, &refs[0]) }); rc != C.KANSU_OK {
		return nil, fmt.Errorf("%w: the adapters could not be listed (code %d)", ErrNoDevice, int(rc))
	}
	var found []candidate
	for _, ref := range refs {
		info, err := describe(ref)
		if err != nil {
			C.kansu_adapter_release(ref)
			continue
		}
		found = append(found, candidate{
			info:    info,
			open:    func() (driver, error) { return openNative(ref, info) },
			release: func() { C.kansu_adapter_release(ref) },
		})
	}
	return found, nil
}

func describe(adapter unsafe.Pointer) (Info, error) {
	c := new(C.kansu_adapter_info)
	if rc := call(func() C.int { return C.kansu_adapter_describe(adapter, c) }); rc != C.KANSU_OK {
		return Info{}, fmt.Errorf("%w: an adapter does not describe itself (code %d)", ErrDriver, int(rc))
	}
	i := Info{Name: C.GoString(&c.name[0]), Driver: C.GoString(&c.driver[0]), Vendor: vendorName(uint32(c.vendor_id))}
	if driver := C.GoString(&c.vendor[0]); strings.HasPrefix(i.Name, "0x") {
		// The library of most platforms puts the name where the driver belongs,
		// and the numbers of device and vendor where name and driver belong.
		i.Name, i.Driver = i.Driver, ""
	} else if driver != "" {
		i.Driver = strings.TrimSpace(driver + " " + i.Driver)
	}
	switch c.backend {
	case 4:
		i.Backend = "dx12"
	case 5:
		i.Backend = "metal"
	case 6:
		i.Backend = "vulkan"
	case 7, 8:
		i.Backend = "opengl"
	default:
		i.Backend = fmt.Sprintf("backend %d", uint32(c.backend))
	}
	switch c._type {
	case 0:
		i.Type = Discrete
	case 1:
		i.Type = Integrated
	case 2:
		i.Type = CPU
		if !softwareName(i.Name) { // the library has one number for both
			i.Type = Virtual
		}
	default:
		i.Type = Other
	}
	i.Limits = Limits{
		MaxBufferSize:       uint64(c.max_buffer),
		MaxBindingSize:      uint64(c.max_binding),
		MaxWorkgroupStorage: int(c.max_workgroup_storage),
		MaxInvocations:      int(c.max_invocations),
		MaxWorkgroupSizeX:   int(c.max_size_x),
		MaxWorkgroupSizeY:   int(c.max_size_y),
		MaxWorkgroupSizeZ:   int(c.max_size_z),
		MaxGroups:           min(int(c.max_groups), 65535),
		MaxStorageBuffers:   min(int(c.max_storage_buffers), int(c.max_bindings)-1),
		MaxParamBytes:       int(min(uint64(c.max_uniform_binding), arenaBytes)),
		MinUniformAlign:     int(c.min_uniform_align),
	}
	for _, f := range c.features[:c.feature_count] {
		i.Timestamps = i.Timestamps || f == C.KW_FEATURE_TIMESTAMP_QUERY
		i.Features = append(i.Features, featureName(uint32(f)))
	}
	slices.Sort(i.Features)
	i.Refused = refusal(i)
	return i, nil
}

// featureName names the features that matter to compute shaders.
func featureName(f uint32) string {
	switch f {
	case 0x03:
		return "timestamp-query"
	case 0x08:
		return "shader-f16"
	case 0x30001:
		return "push-constants"
	case 0x30008:
		return "pipeline-statistics-query"
	case 0x3000e:
		return "mappable-primary-buffers"
	case 0x3000f:
		return "buffer-binding-array"
	case 0x3001e:
		return "shader-f64"
	case 0x3001f:
		return "shader-i16"
	}
	return fmt.Sprintf("feature-%#x", f)
}

// native is a device of the library.
type native struct {
	dev        *C.kansu_device
	adapter    Info
	dispatches []C.kansu_dispatch // reused by submit
	copies     []C.kansu_copy
}

func openNative(adapter unsafe.Pointer, info Info) (driver, error) {
	n := &native{adapter: info}
	var m C.kansu_message
	timestamps := C.int(0)
	if info.Timestamps {
		timestamps = 1
	}
	rc := call(func() C.int { return C.kansu_device_open(adapter, timestamps, &n.dev, &m) })
	if rc != C.KANSU_OK {
		return nil, fmt.Errorf("%w: %s", ErrNoDevice, asError(rc, &m, ErrDriver))
	}
	return n, nil
}

func (n *native) info() Info { return n.adapter }

// nativeLayout is a bind-group layout and the pipeline layout of it alone.
type nativeLayout struct{ group, pipeline unsafe.Pointer }

// usages of the buffers, by kind.
var usages = map[bufferKind]C.uint32_t{
	storageBuffer: C.KW_USAGE_STORAGE | C.KW_USAGE_COPY_SRC | C.KW_USAGE_COPY_DST,
	arenaBuffer:   C.KW_USAGE_UNIFORM | C.KW_USAGE_COPY_DST,
	stagingBuffer: C.KW_USAGE_MAP_READ | C.KW_USAGE_COPY_DST,
	resolveBuffer: C.KW_USAGE_QUERY_RESOLVE | C.KW_USAGE_COPY_SRC,
}

func (n *native) newBuffer(size uint64, kind bufferKind) (handle, error) {
	var b unsafe.Pointer
	var m C.kansu_message
	rc := call(func() C.int { return C.kansu_buffer_new(n.dev, C.uint64_t(size), usages[kind], &b, &m) })
	if rc != C.KANSU_OK {
		return nil, asError(rc, &m, ErrDriver)
	}
	return b, nil
}

// The free functions ignore their result: on a lost device everything stays.

func (n *native) freeBuffer(h handle) {
	call(func() C.int { return C.kansu_buffer_free(n.dev, h.(unsafe.Pointer)) })
}

func (n *native) write(h handle, offset uint64, data []byte) error {
	var m C.kansu_message
	rc := call(func() C.int {
		return C.kansu_buffer_write(n.dev, h.(unsafe.Pointer), C.uint64_t(offset), unsafe.Pointer(&data[0]), C.size_t(len(data)), &m)
	})
	return asError(rc, &m, ErrDriver)
}

func (n *native) newLayout(l layoutKey) (handle, error) {
	writes := make([]byte, len(l.writes)+1) // +1: never empty
	for i := range l.writes {
		if l.writes[i] == 'w' {
			writes[i] = 1
		}
	}
	h := new(nativeLayout)
	var m C.kansu_message
	rc := call(func() C.int {
		return C.kansu_layout_new(n.dev, C.uint32_t(l.paramBytes), C.size_t(len(l.writes)),
			(*C.uchar)(unsafe.Pointer(&writes[0])), &h.group, &h.pipeline, &m)
	})
	if rc != C.KANSU_OK {
		return nil, asError(rc, &m, ErrDriver)
	}
	return h, nil
}

func (n *native) freeLayout(h handle) {
	l := h.(*nativeLayout)
	call(func() C.int { return C.kansu_layout_free(n.dev, l.group, l.pipeline) })
}

func (n *native) newKernel(layout handle, source, entry string) (handle, error) {
	cs, ce := C.CString(source), C.CString(entry)
	defer C.free(unsafe.Pointer(cs))
	defer C.free(unsafe.Pointer(ce))
	var k unsafe.Pointer
	var m C.kansu_message
	rc := call(func() C.int { return C.kansu_kernel_new(n.dev, layout.(*nativeLayout).pipeline, cs, ce, &k, &m) })
	if rc != C.KANSU_OK {
		return nil, asError(rc, &m, ErrShader)
	}
	return k, nil
}

func (n *native) freeKernel(h handle) {
	call(func() C.int { return C.kansu_kernel_free(n.dev, h.(unsafe.Pointer)) })
}

func (n *native) newGroup(layout, arena handle, paramBytes int, buffers []*memory) (handle, error) {
	refs := make([]unsafe.Pointer, len(buffers)+1)
	sizes := make([]C.uint64_t, len(buffers)+1)
	for i, b := range buffers {
		refs[i], sizes[i] = b.handle.(unsafe.Pointer), C.uint64_t(b.size)
	}
	var g unsafe.Pointer
	var m C.kansu_message
	rc := call(func() C.int {
		return C.kansu_group_new(n.dev, layout.(*nativeLayout).group, arena.(unsafe.Pointer), C.uint32_t(paramBytes),
			C.size_t(len(buffers)), &refs[0], &sizes[0], &g, &m)
	})
	if rc != C.KANSU_OK {
		return nil, asError(rc, &m, ErrDriver)
	}
	return g, nil
}

func (n *native) freeGroup(h handle) {
	call(func() C.int { return C.kansu_group_free(n.dev, h.(unsafe.Pointer)) })
}

func (n *native) newQueries() (handle, error) {
	var q unsafe.Pointer
	var m C.kansu_message
	rc := call(func() C.int { return C.kansu_queries_new(n.dev, &q, &m) })
	if rc != C.KANSU_OK {
		return nil, asError(rc, &m, ErrDriver)
	}
	return q, nil
}

func (n *native) freeQueries(h handle) {
	call(func() C.int { return C.kansu_queries_free(n.dev, h.(unsafe.Pointer)) })
}

func (n *native) submit(s *submission) error {
	n.dispatches, n.copies = n.dispatches[:0], n.copies[:0]
	for i := range s.work {
		w := &s.work[i]
		d := C.kansu_dispatch{
			pipeline: w.kernel.handle.(unsafe.Pointer), group: w.group.handle.(unsafe.Pointer), offset: C.uint32_t(w.offset),
			x: C.uint32_t(w.groups[0]), y: C.uint32_t(w.groups[1]), z: C.uint32_t(w.groups[2]),
		}
		if w.group.layout.key.paramBytes > 0 {
			d.has_params = 1
		}
		n.dispatches = append(n.dispatches, d)
	}
	for _, c := range s.copies {
		n.copies = append(n.copies, C.kansu_copy{
			from: c.from.(unsafe.Pointer), from_offset: C.uint64_t(c.fromOffset),
			to: c.to.(unsafe.Pointer), to_offset: C.uint64_t(c.toOffset), size: C.uint64_t(c.size),
		})
	}
	c := C.kansu_submission{
		seq: C.uint64_t(s.seq), arena: s.arena.(unsafe.Pointer), param_bytes: C.size_t(len(s.params)),
		dispatch_count: C.size_t(len(n.dispatches)), copy_count: C.size_t(len(n.copies)),
	}
	if s.queries != nil {
		c.queries, c.resolve = s.queries.(unsafe.Pointer), s.resolve.(unsafe.Pointer)
		if s.begin {
			c.begin_query = 1
		}
		if s.end {
			c.end_query = 1
		}
	}
	var m C.kansu_message
	rc := call(func() C.int {
		return C.kansu_submit(n.dev, &c, unsafe.Pointer(unsafe.SliceData(s.params)),
			unsafe.SliceData(n.dispatches), unsafe.SliceData(n.copies), &m)
	})
	return n.fatal(rc, &m)
}

// fatal is asError for calls in which a panic of the library means that the
// device is lost.
func (n *native) fatal(rc C.int, m *C.kansu_message) error {
	if rc == C.KANSU_PANICKED {
		return fmt.Errorf("%w: the library gave up on it; it wrote why to standard error", ErrDeviceLost)
	}
	if rc == C.KANSU_LOST && m.text == nil {
		C.kansu_device_lost(n.dev, m)
	}
	return asError(rc, m, ErrDriver)
}

func (n *native) wait(seq uint64, waited, slice time.Duration) (bool, error) {
	rc := call(func() C.int {
		return C.kansu_wait(n.dev, C.uint64_t(seq), C.uint64_t(waited), C.uint64_t(slice))
	})
	switch rc {
	case C.KANSU_OK:
		return true, nil
	case C.KANSU_PENDING:
		return false, nil
	}
	var m C.kansu_message
	return false, n.fatal(rc, &m)
}

func (n *native) read(h handle, dst []byte) error {
	var m C.kansu_message
	rc := call(func() C.int {
		return C.kansu_read(n.dev, h.(unsafe.Pointer), C.size_t(roundUp(len(dst), 4)), unsafe.Pointer(&dst[0]), C.size_t(len(dst)), &m)
	})
	if rc == C.KANSU_PENDING {
		return fmt.Errorf("%w: the result is not mapped", ErrTimeout)
	}
	return n.fatal(rc, &m)
}

func (n *native) close(idle bool) {
	if idle {
		C.kansu_device_close(n.dev)
	}
}

// errGuardless says that this platform cannot catch a panic of the library.
var errGuardless = errors.New("panics of the library are not caught on this platform")

// provokePanic makes the library panic, for the test of the guard.
func (n *native) provokePanic() error {
	if C.kansu_guarded() == 0 {
		return errGuardless
	}
	var m C.kansu_message
	return n.fatal(call(func() C.int { return C.kansu_provoke_panic(n.dev, &m) }), &m)
}
