package ops

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kansu-dev/kansu/gpu"
	"github.com/kansu-dev/kansu/shaders"
	"github.com/kansu-dev/kansu/spec"
)

// Replay is a recorded sequence of calls that runs again with new inputs: no
// checks, no planning and no allocation, in memory that was laid out while
// recording. It is safe for use by many goroutines, one run at a time.
type Replay struct {
	eng     *Engine
	mu      sync.Mutex
	rec     *recorder
	in, out []*Tensor // static: what a run overwrites
}

// recorder collects the steps and owns the memory of a Replay.
type recorder struct {
	mu    sync.Mutex
	open  bool // still recording
	steps []func() error
	held  map[*storage]bool // of other tensors, weights mostly
	spare []*storage        // the part of it that no tensor uses any more
}

// Record runs f once with copies of the inputs and records every call on a
// tensor that depends on them, so that Replay.Run can repeat it. Calls that
// depend on other tensors only, such as weights, are computed now, once.
//
// f must make the same calls whatever the values are, must not wait for data,
// and must be the only one to use the tensors that it is given. Weights that it
// uses stay alive until the Replay is released. Record returns f's error.
func (e *Engine) Record(inputs []*Tensor, f func(in []*Tensor) ([]*Tensor, error)) (*Replay, error) {
	if e.none() {
		return nil, fail("Record", errNoEngine)
	}
	if f == nil {
		return nil, fail("Record", &spec.Error{Kind: ErrParam, Message: "there is no function to record"})
	}
	if e.closed.Load() {
		return nil, fail("Record", ErrClosed)
	}
	if err := e.settleAll(); err != nil {
		return nil, fail("Record", err)
	}
	rec := &recorder{open: true, held: map[*storage]bool{}}
	r := &Replay{eng: e, rec: rec}
	re := &Engine{core: e.core, rec: rec}
	fresh := func(err error) (*Replay, error) {
		_ = e.settleAll() // what f left is in the recording's memory
		r.Release()
		return nil, fail("Record", err)
	}
	for i, x := range inputs {
		if _, err := engineOf("Record", x); err != nil {
			return fresh(fmt.Errorf("input %d: %w", i, err))
		}
		if x.eng.core != e.core {
			return fresh(fmt.Errorf("input %d: %w", i, ErrEngine))
		}
		s, err := re.newStorage(x.shape)
		if err != nil {
			return fresh(err)
		}
		t := re.newTensor(s, x.shape, x.dtype)
		r.in = append(r.in, t)
		if err := e.copyInto(t, x); err != nil {
			return fresh(err)
		}
	}
	out, err := f(slices.Clone(r.in))
	if err != nil {
		return fresh(err)
	}
	// Intermediates that f has released are no longer needed; those that it
	// returned are.
	if err := e.settleAll(); err != nil {
		return fresh(err)
	}
	for i, y := range out {
		if y == nil || y.eng.core != e.core {
			return fresh(fmt.Errorf("output %d: %w", i, ErrEngine))
		}
		s, err := y.hold()
		if err != nil {
			return fresh(fmt.Errorf("output %d: %w", i, err))
		}
		r.out = append(r.out, e.newTensor(s, y.shape, y.dtype))
		if y.eng.rec == rec && !slices.Contains(r.in, y) {
			y.Release() // f handed it over
		}
	}
	rec.mu.Lock()
	rec.open = false
	rec.mu.Unlock()
	return r, nil
}

// Run repeats the recorded calls with new inputs, of the recorded shapes, and
// returns the outputs. Those are the same tensors each time: the next Run
// overwrites them. It returns ErrShape for other shapes, and ErrReleased.
func (r *Replay) Run(inputs ...*Tensor) ([]*Tensor, error) {
	if r == nil {
		return nil, fail("Run", fmt.Errorf("%w: the recording; did Record fail?", ErrNil))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rec == nil {
		return nil, fail("Run", ErrReleased)
	}
	if err := r.eng.settleAll(); err != nil { // it may read what is overwritten now
		return nil, fail("Run", err)
	}
	if len(inputs) != len(r.in) {
		return nil, fail("Run", &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("%d inputs, recorded with %d", len(inputs), len(r.in))})
	}
	for i, x := range inputs {
		if _, err := engineOf("Run", x); err != nil {
			return nil, err
		}
		if x.eng.core != r.eng.core {
			return nil, fail("Run", fmt.Errorf("input %d: %w", i, ErrEngine))
		}
		if !spec.EqualShapes(x.shape, r.in[i].shape) {
			return nil, fail("Run", &spec.Error{Kind: ErrShape, Message: fmt.Sprintf("input %d is %v, recorded with %v", i, x.shape, r.in[i].shape)})
		}
	}
	for i, x := range inputs {
		if err := r.eng.copyInto(r.in[i], x); err != nil {
			return nil, fail("Run", err)
		}
	}
	for _, step := range r.rec.steps {
		if err := step(); err != nil {
			return nil, fail("Run", err)
		}
	}
	return slices.Clone(r.out), nil
}

// Release gives the recording's memory back. Its outputs are released with it.
func (r *Replay) Release() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.rec
	if rec == nil {
		return
	}
	r.rec = nil
	for _, t := range append(r.in, r.out...) {
		t.Release()
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for s := range rec.held {
		s.drop()
	}
	rec.held, rec.steps = nil, nil
	// Memory that a tensor outside still uses goes back when that is released.
	for _, s := range rec.spare {
		s.free()
	}
	rec.spare = nil
}

// copyInto copies the value of src into dst's memory.
func (e *Engine) copyInto(dst, src *Tensor) error {
	a, err := src.hold()
	if err != nil {
		return err
	}
	defer a.drop()
	b, err := dst.hold()
	if err != nil {
		return err
	}
	defer b.drop()
	if err := e.settle(a); err != nil {
		return err
	}
	if e.dev == nil {
		copy(b.host[:b.n], a.host[:a.n])
		return nil
	}
	plan := shaders.PlanCopy(a.n, e.limits)
	for _, st := range plan.Steps {
		k, err := e.kernel(st.Kernel)
		if err != nil {
			return err
		}
		if err := e.dev.Dispatch(k, st.Params, []*gpu.Buffer{a.buf, b.buf}, st.Groups); err != nil {
			return err
		}
	}
	return nil
}

// dispatched records a dispatch.
func (r *recorder) dispatched(dev *gpu.Device, k *gpu.Kernel, st shaders.Step, bufs []*gpu.Buffer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.open {
		return
	}
	params, bound, groups := slices.Clone(st.Params), slices.Clone(bufs), st.Groups
	r.steps = append(r.steps, func() error { return dev.Dispatch(k, params, bound, groups) })
}

// computed records a plain Go computation.
func (r *recorder) computed(step func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open {
		r.steps = append(r.steps, step)
	}
}

// keep holds the inputs of a recorded call that the recording does not own.
func (r *recorder) keep(in []*storage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range in {
		if s != nil && s.rec != r && r.open && !r.held[s] && s.hold() {
			r.held[s] = true
		}
	}
}

// reuse returns memory of the recording that no tensor uses any more and that
// holds n elements without wasting more than half.
func (r *recorder) reuse(n int) *storage {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.open {
		return nil
	}
	found := -1
	for i, s := range r.spare {
		if c := s.capacity(); c >= n && c <= 2*n+1024 && (found < 0 || c < r.spare[found].capacity()) {
			found = i
		}
	}
	if found < 0 {
		return nil
	}
	old := r.spare[found]
	r.spare = slices.Delete(r.spare, found, found+1)
	s := &storage{eng: old.eng, n: n, buf: old.buf, host: old.host, rec: r}
	s.refs.Store(1)
	s.eng.live.Add(1)
	s.eng.pressure.add(s, 1)
	return s
}

// recycle takes back the memory of a storage that no tensor uses any more.
func (r *recorder) recycle(s *storage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil { // the replay is released
		s.free()
		return
	}
	r.spare = append(r.spare, s)
}

// capacity returns how many elements the memory holds.
func (s *storage) capacity() int {
	if s.buf != nil {
		return s.buf.Size() / 4
	}
	return cap(s.host)
}
