// Package bench measures how fast functions run on a device: named workloads,
// warmed up, repeated, with medians.
package bench

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
	"github.com/kansu-dev/kansu/tests/cases"
)

// Options says how long to measure.
type Options struct {
	MinTime time.Duration // time to spend on one workload, after warm-up
	MinReps int           // repetitions at least
	Kernel  string        // forced kernel, or ""
	Peers   []*Peer       // other libraries to time in turn with this one
}

// Measurement is the outcome of one workload.
type Measurement struct {
	Workload string    `json:"workload"`
	Function string    `json:"function"`
	Kernel   string    `json:"kernel"`              // the variant that ran; "" in pure Go
	Explain  string    `json:"explain"`             // the plan
	Wall     []float64 `json:"wall_ns"`             // per call, one for each repetition, sorted
	Device   []float64 `json:"device_ns,omitempty"` // likewise by GPU timestamps
	Flops    float64   `json:"flops"`               // operations of the direct definition
	Bytes    float64   `json:"bytes"`               // least traffic: inputs and outputs once
	// Footprint is the memory that the calls rotate through, in bytes: where it
	// is small the device's caches hold it.
	Footprint float64  `json:"footprint"`
	Peers     []Beside `json:"peers,omitempty"` // in the order of the report's peers
}

// Median returns the middle of sorted values, 0 for none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	return v[len(v)/2]
}

// NsPerCall returns the median time of a call: the device's own clock where it
// has one, wall time otherwise.
func (m *Measurement) NsPerCall() float64 {
	if len(m.Device) > 0 {
		return Median(m.Device)
	}
	return Median(m.Wall)
}

// GoText returns the measurement as a line of Go's benchmark format, which
// benchstat reads.
func (m *Measurement) GoText() string {
	ns := m.NsPerCall()
	s := fmt.Sprintf("BenchmarkKansu/%s-%d\t%8d\t%12.0f ns/op", m.Workload, runtime.GOMAXPROCS(0), len(m.Wall), ns)
	if m.Flops > 0 {
		s += fmt.Sprintf("\t%10.2f GFLOP/s", m.Flops/ns)
	}
	return s + fmt.Sprintf("\t%10.2f GB/s", m.Bytes/ns)
}

// maxSets bounds the input sets that calls rotate through.
const maxSets = 4

// rotateBytes is what the rotating inputs should exceed, so that the caches of
// the device do not hold them from one call to the next.
const rotateBytes = 256 << 20

// session is one workload ready to be timed: its inputs are on the device, and
// everything is warm.
type session struct {
	e    *ops.Engine
	w    cases.Workload
	m    Measurement
	sets [][]*ops.Tensor
	left [][]*ops.Tensor // by the forward calls of a cases.Backward, with each set
	next int
	n    int // calls in a batch: enough that the submission does not show
}

// Run measures one workload on an engine, in turn with the peers where there
// are any.
func Run(e *ops.Engine, w cases.Workload, o Options) (Measurement, error) {
	flops, bytes := w.Case.Work()
	s := &session{e: e, w: w, m: Measurement{Workload: w.Name, Function: w.Function, Flops: flops, Bytes: bytes}}
	if o.Kernel != "" {
		e.Force(w.Function, o.Kernel)
		defer e.Force(w.Function, "")
	}
	defer s.release()
	if err := s.warm(); err != nil {
		return s.m, err
	}
	var err error
	if len(o.Peers) > 0 {
		err = s.beside(o)
	} else {
		err = s.alone(o)
	}
	slices.Sort(s.m.Wall)
	slices.Sort(s.m.Device)
	return s.m, err
}

// alone times a workload by wall time, then by the device's clock if it has one.
func (s *session) alone(o Options) error {
	if _, err := s.wall(o.MinTime, o.MinReps); err != nil {
		return err
	}
	if s.clock() {
		_, err := s.device(0, max(5, o.MinReps))
		return err
	}
	return nil
}

func (s *session) release() {
	for _, ts := range append(s.sets, s.left...) {
		release(ts)
	}
}

// call makes one call with the next set of inputs.
func (s *session) call() error {
	i := s.next % len(s.sets)
	s.next++
	var out []*ops.Tensor
	var err error
	if c, ok := s.w.Case.(cases.Backward); ok {
		out, err = c.Gradient(s.sets[i], s.left[i])
	} else {
		out, err = s.w.Case.Call(s.sets[i])
	}
	if err != nil {
		return err
	}
	if s.m.Explain == "" {
		s.m.Explain = out[0].Explain()
		if p := out[0].Plan(); p != nil {
			s.m.Kernel = p.Variant
		}
	}
	if _, ok := s.w.Case.(*cases.InPlaceCase); ok {
		s.sets[i][0].Release()
		s.sets[i][0] = out[0]
		return s.e.Flush() // else the next would be fused with it
	}
	release(out)
	return nil
}

func (s *session) calls(n int) error {
	for range n {
		if err := s.call(); err != nil {
			return err
		}
	}
	return s.e.Flush() // the last call may wait for one to be fused with
}

// batch returns the wall time of n calls and the wait for them.
func (s *session) batch(n int) (time.Duration, error) {
	start := time.Now()
	if err := s.calls(n); err != nil {
		return 0, err
	}
	err := s.e.Wait()
	return time.Since(start), err
}

// warm uploads the inputs, compiles, faults pages in, and finds how many calls
// make a batch.
func (s *session) warm() (err error) {
	if s.sets, err = inputs(s.e, s.w.Case, s.m.Bytes); err != nil {
		return err
	}
	if c, ok := s.w.Case.(cases.Backward); ok {
		for _, in := range s.sets {
			left, err := c.Save(in)
			if err != nil {
				return err
			}
			s.left = append(s.left, left)
		}
	}
	in := 0
	for _, i := range s.w.Case.Inputs() {
		if i.Shape != nil {
			in += 4 * spec.Count(i.Shape)
		}
	}
	s.m.Footprint = float64(in*len(s.sets)) + max(0, s.m.Bytes-float64(in)) // outputs are reused
	if _, err := s.batch(1); err != nil {
		return err
	}
	one, err := s.batch(1)
	s.n = 1
	if s.e.GPU() != nil {
		const long = 20 * time.Millisecond
		s.n = int(min(max(1, long/max(one, time.Microsecond)), 1000))
	}
	return err
}

// wall adds batches by wall time and returns what it added, in ns for a call.
func (s *session) wall(spend time.Duration, reps int) ([]float64, error) {
	from := len(s.m.Wall)
	for spent := time.Duration(0); spent < spend || len(s.m.Wall)-from < reps; {
		d, err := s.batch(s.n)
		if err != nil {
			return nil, err
		}
		spent += d
		s.m.Wall = append(s.m.Wall, float64(d.Nanoseconds())/float64(s.n))
	}
	return s.m.Wall[from:], nil
}

// clock says whether the device has a clock of its own.
func (s *session) clock() bool {
	dev := s.e.GPU()
	return dev != nil && dev.Info().Timestamps
}

// device is wall by the device's own clock.
func (s *session) device(spend time.Duration, reps int) ([]float64, error) {
	from := len(s.m.Device)
	for spent := time.Duration(0); spent < spend || len(s.m.Device)-from < reps; {
		d, err := s.e.GPU().Time(func() error { return s.calls(s.n) })
		if err != nil {
			return nil, err
		}
		spent += d
		s.m.Device = append(s.m.Device, float64(d.Nanoseconds())/float64(s.n))
	}
	return s.m.Device[from:], nil
}

// inputs uploads sets of inputs until they exceed rotateBytes, at most maxSets.
func inputs(e *ops.Engine, c cases.Case, bytes float64) ([][]*ops.Tensor, error) {
	n := min(maxSets, 1+int(rotateBytes/max(bytes, 1)))
	var sets [][]*ops.Tensor
	for i := range n {
		s, err := cases.Upload(e, c, cases.DrawsQuick(c, uint64(i+1)))
		if err != nil {
			return nil, err
		}
		sets = append(sets, s)
	}
	return sets, nil
}

func release(ts []*ops.Tensor) {
	for _, t := range ts {
		t.Release()
	}
}
