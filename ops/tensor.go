package ops

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/kansu-dev/kansu/gpu"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// DType is the type of a tensor's elements.
type DType uint8

const (
	// Float32 is the type of values.
	Float32 DType = iota
	// Int32 is the type of indices, as max pooling returns them.
	Int32
)

// String returns "float32" or "int32".
func (d DType) String() string {
	if d == Int32 {
		return "int32"
	}
	return "float32"
}

// Tensor is a dense row-major array on the device of its engine. It is
// immutable once made, and safe for use by many goroutines. Release frees it
// early; the garbage collector, which the engine calls when the memory in use has
// doubled, frees it late.
type Tensor struct {
	eng   *Engine
	shape []int
	dtype DType
	h     *handle
	plan  *shaders.Plan // how it was computed; nil for uploads and views
}

// handle is one tensor's share of a storage. It is apart from the tensor so
// that a cleanup can hold it when the tensor is garbage.
type handle struct {
	s    *storage
	gone atomic.Bool
}

func (h *handle) release() {
	if !h.gone.Swap(true) {
		h.s.drop()
	}
}

// storage is memory shared by a tensor and its views.
type storage struct {
	eng  *Engine
	refs atomic.Int32
	n    int         // elements
	buf  *gpu.Buffer // on a GPU
	host []float32   // in pure Go; indices are kept as their bits
	rec  *recorder   // owns the memory, where it belongs to a Replay

	wait atomic.Pointer[chain]        // computes the value; nil when it has, or never had to
	made atomic.Pointer[shaders.Plan] // how a chain computed the value
}

// hold takes a reference, unless the last one is gone.
func (s *storage) hold() bool {
	for {
		r := s.refs.Load()
		if r <= 0 {
			return false
		}
		if s.refs.CompareAndSwap(r, r+1) {
			return true
		}
	}
}

func (s *storage) drop() {
	if s.refs.Add(-1) == 0 {
		s.end()
	}
}

// end gives the memory back when the last reference is gone.
func (s *storage) end() {
	s.eng.live.Add(-1)
	s.eng.pressure.add(s, -1)
	if s.rec != nil {
		s.rec.recycle(s)
		return
	}
	s.free()
}

// free gives the memory back to the engine.
func (s *storage) free() {
	if s.buf != nil {
		s.buf.Release()
		return
	}
	s.eng.host.put(s.host)
	s.host = nil
}

// newStorage allocates n elements whose contents are undefined.
func (e *Engine) newStorage(shape []int) (*storage, error) {
	n, err := spec.Elements(shape)
	if err != nil {
		return nil, err
	}
	if err := e.checkSize(shape, n); err != nil {
		return nil, err
	}
	if e.rec != nil {
		if s := e.rec.reuse(n); s != nil {
			return s, nil
		}
	}
	s := &storage{eng: e, n: n, rec: e.rec}
	e.pressure.relieve(n)
	if e.dev == nil {
		s.host = e.host.get(n)
	} else {
		bytes := (n*4 + 15) &^ 15 // whole vec4s, so that kernels may store them
		s.buf, err = e.dev.NewBuffer(bytes)
		if errors.Is(err, ErrOutOfMemory) {
			e.pressure.collect()
			s.buf, err = e.dev.NewBuffer(bytes)
		}
		if err != nil {
			return nil, err
		}
	}
	s.refs.Store(1)
	e.live.Add(1)
	e.pressure.add(s, 1)
	return s, nil
}

func (e *Engine) newTensor(s *storage, shape []int, dtype DType) *Tensor {
	t := &Tensor{eng: e, shape: slices.Clone(shape), dtype: dtype, h: &handle{s: s}}
	if t.shape == nil {
		t.shape = []int{}
	}
	runtime.AddCleanup(t, (*handle).release, t.h)
	return t
}

// Tensor uploads data as a tensor of the given shape (no numbers: a scalar).
// The data is copied. It returns ErrShape where the number of values does not
// match the shape or an axis is below 1, ErrTooLarge and ErrOutOfMemory.
func (e *Engine) Tensor(data []float32, shape ...int) (*Tensor, error) {
	t, err := e.upload(asBytes(data), len(data), Float32, shape)
	return t, fail("Tensor", err)
}

// Indices uploads 32-bit indices, as MaxUnpool takes them; see Tensor.
func (e *Engine) Indices(data []int32, shape ...int) (*Tensor, error) {
	t, err := e.upload(asBytes(data), len(data), Int32, shape)
	return t, fail("Indices", err)
}

func (e *Engine) upload(raw []byte, count int, dtype DType, shape []int) (*Tensor, error) {
	if e.none() {
		return nil, errNoEngine
	}
	if e.closed.Load() {
		return nil, ErrClosed
	}
	if e.rec != nil { // a constant of the recording: its memory must not be used again
		e = &Engine{core: e.core}
	}
	n, err := spec.Elements(shape)
	if err != nil {
		return nil, err
	}
	if n != count {
		return nil, &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("shape %v takes %d values, got %d", shape, n, count)}
	}
	s, err := e.newStorage(shape)
	if err != nil {
		return nil, err
	}
	if e.dev == nil {
		copy(asBytes(s.host[:n]), raw)
	} else if err := e.dev.Write(s.buf, 0, raw); err != nil {
		s.drop()
		return nil, err
	}
	return e.newTensor(s, shape, dtype), nil
}

// none reports whether t is nil, as after a failed call, or no function made it.
func (t *Tensor) none() bool { return t == nil || t.eng == nil }

// Shape returns a copy of the shape; nil for a nil tensor.
func (t *Tensor) Shape() []int {
	if t == nil {
		return nil
	}
	return slices.Clone(t.shape)
}

// Rank returns the number of axes; 0 for a nil tensor.
func (t *Tensor) Rank() int {
	if t == nil {
		return 0
	}
	return len(t.shape)
}

// Len returns the number of elements; 0 for a nil tensor.
func (t *Tensor) Len() int {
	if t.none() {
		return 0
	}
	return spec.Count(t.shape)
}

// DType returns the type of the elements.
func (t *Tensor) DType() DType {
	if t == nil {
		return Float32
	}
	return t.dtype
}

// Engine returns the engine that owns the tensor; nil for a nil tensor.
func (t *Tensor) Engine() *Engine {
	if t == nil {
		return nil
	}
	return t.eng
}

// Data waits for the tensor's value and returns a copy of it, row-major. It
// returns ErrReleased, ErrClosed, ErrDeviceLost, and ErrType for indices.
func (t *Tensor) Data() ([]float32, error) {
	if t.none() {
		return nil, fail("Data", ErrNil)
	}
	if t.dtype != Float32 {
		return nil, fail("Data", fmt.Errorf("%w: tensor holds %v; read it with Int32s", ErrType, t.dtype))
	}
	out := make([]float32, t.Len())
	return out, fail("Data", t.read(asBytes(out)))
}

// Read is Data into memory of the caller's, which must have Len elements.
func (t *Tensor) Read(dst []float32) error {
	if t.none() {
		return fail("Read", ErrNil)
	}
	if t.dtype != Float32 {
		return fail("Read", fmt.Errorf("%w: tensor holds %v; read it with Int32s", ErrType, t.dtype))
	}
	if len(dst) != t.Len() {
		return fail("Read", &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("tensor of shape %v has %d values, destination %d", t.shape, t.Len(), len(dst))})
	}
	return fail("Read", t.read(asBytes(dst)))
}

// Int32s is Data for a tensor of indices.
func (t *Tensor) Int32s() ([]int32, error) {
	if t.none() {
		return nil, fail("Int32s", ErrNil)
	}
	if t.dtype != Int32 {
		return nil, fail("Int32s", fmt.Errorf("%w: tensor holds %v; read it with Data", ErrType, t.dtype))
	}
	out := make([]int32, t.Len())
	return out, fail("Int32s", t.read(asBytes(out)))
}

func (t *Tensor) read(dst []byte) error {
	s, err := t.hold()
	if err != nil {
		return err
	}
	defer s.drop()
	if err := t.eng.settle(s); err != nil {
		return err
	}
	if s.buf != nil {
		return t.eng.dev.Read(s.buf, 0, dst)
	}
	copy(dst, asBytes(s.host[:s.n]))
	return nil
}

// hold takes a reference to the storage for the length of a call, so that a
// Release by another goroutine does not pull it away.
func (t *Tensor) hold() (*storage, error) {
	if t.none() {
		return nil, errZeroTensor
	}
	if t.eng.closed.Load() {
		return nil, ErrClosed
	}
	if t.h.gone.Load() || !t.h.s.hold() {
		return nil, fmt.Errorf("%w (shape %v)", ErrReleased, t.shape)
	}
	return t.h.s, nil
}

// Release gives the tensor's memory back for reuse. Views of it stay valid. A
// second Release does nothing; any other use afterwards returns ErrReleased.
func (t *Tensor) Release() {
	if !t.none() {
		t.h.release()
	}
}

// Reshape returns a view with another shape over the same memory. One axis may
// be -1 and is computed. It returns ErrShape where the sizes do not match.
func (t *Tensor) Reshape(shape ...int) (*Tensor, error) {
	if t.none() {
		return nil, fail("Reshape", ErrNil)
	}
	out, err := spec.Reshape(t.shape, shape)
	if err != nil {
		return nil, fail("Reshape", err)
	}
	s, err := t.hold()
	if err != nil {
		return nil, fail("Reshape", err)
	}
	v := t.eng.newTensor(s, out, t.dtype) // takes over the reference
	v.plan = t.plan
	return v, nil
}

// Flatten returns a view whose axes from start to end (inclusive; negative
// counts from the back) are one: Flatten(1, -1) keeps the batch.
func (t *Tensor) Flatten(start, end int) (*Tensor, error) {
	if t.none() {
		return nil, fail("Flatten", ErrNil)
	}
	out, err := spec.Flatten(t.shape, start, end)
	if err != nil {
		return nil, fail("Flatten", err)
	}
	v, err := t.Reshape(out...)
	return v, err
}

// Explain says how the tensor was computed: kernel, grid, why that one was
// chosen and what was rejected.
func (t *Tensor) Explain() string {
	if p := t.how(); p != nil {
		return p.String()
	}
	return "uploaded, or computed by pure Go"
}

// Plan returns what Explain prints; nil for uploads and in pure Go.
func (t *Tensor) Plan() *shaders.Plan {
	if p := t.how(); p != nil && len(p.Steps) > 0 {
		return p
	}
	return nil
}

// how returns how the tensor was computed; for a chain in pure Go a plan
// without steps.
func (t *Tensor) how() *shaders.Plan {
	switch {
	case t.none():
		return nil
	case t.plan != nil:
		return t.plan
	}
	_ = t.eng.settle(t.h.s) // its error comes with the data
	return t.h.s.made.Load()
}

// String names the tensor for a log: type, shape and device.
func (t *Tensor) String() string {
	if t.none() {
		return "Tensor(nil)"
	}
	return fmt.Sprintf("Tensor(%v %v on %s)", t.dtype, t.shape, t.eng.device.Name)
}

// asBytes views numbers as the bytes that go to the device (little endian on
// every platform that Go and WebGPU share).
func asBytes[T float32 | int32](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*4)
}
