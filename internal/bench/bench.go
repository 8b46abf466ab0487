// Package bench measures how fast functions run on a device: named workloads,
// warmed up, repeated, with medians.
package bench

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/cases"
)

// Options says how long to measure.
type Options struct {
	MinTime time.Duration // time to spend on one workload, after warm-up
	MinReps int           // repetitions at least
	Kernel  string        // forced kernel, or ""
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

// Run measures one workload on an engine.
func Run(e *ops.Engine, w cases.Workload, o Options) (Measurement, error) {
	flops, bytes := w.Case.Work()
	m := Measurement{Workload: w.Name, Function: w.Function, Flops: flops, Bytes: bytes}
	if o.Kernel != "" {
		e.Force(w.Function, o.Kernel)
		defer e.Force(w.Function, "")
	}
	sets, err := inputs(e, w.Case, bytes)
	if err != nil {
		return m, err
	}
	defer func() {
		for _, s := range sets {
			release(s)
		}
	}()
	next := 0
	call := func() error {
		out, err := w.Case.Call(sets[next%len(sets)])
		next++
		if err != nil {
			return err
		}
		if m.Explain == "" {
			m.Explain = out[0].Explain()
			if p := out[0].Plan(); p != nil {
				m.Kernel = p.Variant
			}
		}
		release(out)
		return nil
	}
	batch := func(n int) (time.Duration, error) {
		start := time.Now()
		for range n {
			if err := call(); err != nil {
				return 0, err
			}
		}
		err := e.Wait()
		return time.Since(start), err
	}
	// Warm up: compile, fault pages in, then find how many calls make a batch
	// long enough that the submission does not show.
	if _, err := batch(1); err != nil {
		return m, err
	}
	one, err := batch(1)
	if err != nil {
		return m, err
	}
	n := 1
	if e.GPU() != nil {
		const long = 20 * time.Millisecond
		n = int(min(max(1, long/max(one, time.Microsecond)), 1000))
	}
	for spent := time.Duration(0); spent < o.MinTime || len(m.Wall) < o.MinReps; {
		d, err := batch(n)
		if err != nil {
			return m, err
		}
		spent += d
		m.Wall = append(m.Wall, float64(d.Nanoseconds())/float64(n))
	}
	slices.Sort(m.Wall)
	if dev := e.GPU(); dev != nil && dev.Info().Timestamps {
		for range max(5, o.MinReps) {
			d, err := dev.Time(func() error {
				for range n {
					if err := call(); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return m, err
			}
			m.Device = append(m.Device, float64(d.Nanoseconds())/float64(n))
		}
		slices.Sort(m.Device)
	}
	return m, nil
}

// inputs uploads sets of inputs until they exceed rotateBytes, at most maxSets.
func inputs(e *ops.Engine, c cases.Case, bytes float64) ([][]*ops.Tensor, error) {
	n := min(maxSets, 1+int(rotateBytes/max(bytes, 1)))
	var sets [][]*ops.Tensor
	for i := range n {
		s, err := cases.Upload(e, c, cases.Draws(c, uint64(i+1)))
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
