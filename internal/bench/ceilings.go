package bench

import (
	"fmt"
	"slices"
	"time"

	"github.com/kansu-dev/kansu/gpu"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/shaders"
)

// Ceilings are what the device itself can do, measured in the same run as the
// workloads: no kernel can be faster than the larger of its operations over
// GFlops and its least traffic over CopyGB.
type Ceilings struct {
	GFlops float64 `json:"gflops"`  // multiply-adds in registers, two operations each
	CopyGB float64 `json:"copy_gb"` // bytes read plus bytes written, per ns
	// Copies are the copy rates of smaller arrays too, in rising order of size.
	Copies     []CopyRate `json:"copies,omitempty"`
	DispatchNs float64    `json:"dispatch_ns"` // one dispatch among many in a submission
	RecordNs   float64    `json:"record_ns"`   // host time to record one call of a function
	SubmitNs   float64    `json:"submit_ns"`   // one dispatch, submitted and waited for on its own
	UploadGB   float64    `json:"upload_gb"`   // host to device, bytes per ns
	ReadbackGB float64    `json:"readback_gb"` // device to host
}

// CopyRate is the copy rate of arrays of one size.
type CopyRate struct {
	Bytes float64 `json:"bytes"` // of both arrays together
	GB    float64 `json:"gb"`    // bytes read plus bytes written, per ns
}

// CopyAt returns the copy rate of arrays that take so many bytes together: that
// of the largest ones measured that are not larger, so that a floor errs to the
// low side. Small arrays stay in the device's caches.
func (c Ceilings) CopyAt(footprint float64) float64 {
	rate := c.CopyGB
	for i := len(c.Copies) - 1; i >= 0; i-- {
		rate = max(rate, c.Copies[i].GB)
		if c.Copies[i].Bytes <= footprint {
			break
		}
	}
	return rate
}

// FloorNs returns the least time that this device needs for so many operations
// and bytes, and what decides: "compute", "memory", or "cache" where the memory
// that the calls rotate through is so small that copying it is much faster.
func (c Ceilings) FloorNs(flops, bytes, footprint float64) (ns float64, bound string) {
	if c.GFlops == 0 || c.CopyGB == 0 {
		return 0, ""
	}
	rate := c.CopyAt(footprint)
	compute, memory := flops/c.GFlops, bytes/rate
	switch {
	case compute > memory:
		return compute, "compute"
	case rate > 1.25*c.CopyGB:
		return memory, "cache"
	}
	return memory, "memory"
}

// copyFloats is the size of the copied array: larger than any cache.
const copyFloats = 1 << 25

// leastCopy is the smallest copied array: a few times 4 larger each, up to copyFloats.
const leastCopy = 1 << 13

// best returns the smallest of several timings: a ceiling is the best case.
func best(times []time.Duration) float64 {
	return float64(max(1, slices.Min(times).Nanoseconds()))
}

// Measure measures the ceilings of an engine's device.
func Measure(e *ops.Engine) (Ceilings, error) {
	if e.GPU() == nil {
		return measureHost(e)
	}
	c, err := measureGPU(e)
	if err != nil {
		return c, fmt.Errorf("measuring the device: %w", err)
	}
	return c, nil
}

func measureGPU(e *ops.Engine) (c Ceilings, err error) {
	dev := e.GPU()
	limits := e.PlanDevice()
	n := copyFloats
	for int64(n)*4 > limits.MaxBindingBytes {
		n /= 2
	}
	x, err := dev.NewBuffer(4 * n)
	if err != nil {
		return c, err
	}
	defer x.Release()
	y, err := dev.NewBuffer(4 * n)
	if err != nil {
		return c, err
	}
	defer y.Release()

	// Grow the number of rounds until one dispatch is long enough to time.
	count, rounds, flops := 1<<18, 16, 0.0
	if limits.CPU {
		count = 1 << 12
	}
	for {
		var plan shaders.Plan
		plan, flops = shaders.PlanMultiplyAdd(count, rounds, 0.5, 1, limits)
		times, err := timePlan(dev, plan, 3, nil, y)
		if err != nil {
			return c, err
		}
		c.GFlops = flops / best(times)
		if best(times) > 2e7 || rounds > 1<<16 {
			break
		}
		rounds *= 2
	}
	// Smaller copies many times over, as the calls of a workload come.
	for _, m := range []int{1 << 19, 1 << 21, 1 << 23, n} {
		if m > n {
			continue
		}
		repeat := max(1, n/8/m)
		plan := shaders.PlanCopy(m, limits)
		plan.Steps = slices.Repeat(plan.Steps, repeat)
		times, err := timePlan(dev, plan, 7, x, y)
		if err != nil {
			return c, err
		}
		c.Copies = append(c.Copies, CopyRate{Bytes: 8 * float64(m), GB: 8 * float64(m) * float64(repeat) / best(times)})
	}
	c.CopyGB = c.Copies[len(c.Copies)-1].GB

	host := make([]byte, 4*n)
	var up, down []time.Duration
	for range 3 {
		start := time.Now()
		if err := dev.Write(x, 0, host); err != nil {
			return c, err
		}
		if err := dev.Wait(); err != nil {
			return c, err
		}
		up = append(up, time.Since(start))
		start = time.Now()
		if err := dev.Read(y, 0, host); err != nil {
			return c, err
		}
		down = append(down, time.Since(start))
	}
	c.UploadGB, c.ReadbackGB = float64(len(host))/best(up), float64(len(host))/best(down)
	return c, c.measureCalls(e)
}

// measureCalls times calls whose own work is next to nothing.
func (c *Ceilings) measureCalls(e *ops.Engine) error {
	x, err := e.Tensor(make([]float32, 64), 64)
	if err != nil {
		return err
	}
	defer x.Release()
	const many = 200 // few enough that no submission has to wait for the one before
	var record, all, single []time.Duration
	for range 5 {
		start := time.Now()
		for range many {
			y, err := ops.ReLU(x)
			if err != nil {
				return err
			}
			y.Release()
		}
		record = append(record, time.Since(start))
		if err := e.Wait(); err != nil {
			return err
		}
		all = append(all, time.Since(start))
		start = time.Now()
		y, err := ops.ReLU(x)
		if err != nil {
			return err
		}
		y.Release()
		if err := e.Wait(); err != nil {
			return err
		}
		single = append(single, time.Since(start))
	}
	c.RecordNs, c.DispatchNs, c.SubmitNs = best(record)/many, best(all)/many, best(single)
	return nil
}

// timePlan runs a plan alone, several times: by the device's clock where it has
// one, by wall time otherwise.
func timePlan(dev *gpu.Device, plan shaders.Plan, reps int, in, out *gpu.Buffer) ([]time.Duration, error) {
	run := func() error {
		for _, st := range plan.Steps {
			k, err := dev.Kernel(&gpu.Program{Name: st.Kernel.Name, Source: st.Kernel.Source, Writes: st.Kernel.Writes, ParamBytes: st.Kernel.ParamBytes})
			if err != nil {
				return err
			}
			var bufs []*gpu.Buffer
			for _, o := range st.Operands {
				if o.IsIn() {
					bufs = append(bufs, in)
				} else {
					bufs = append(bufs, out)
				}
			}
			if err := dev.Dispatch(k, st.Params, bufs, st.Groups); err != nil {
				return err
			}
		}
		return nil
	}
	var times []time.Duration
	for i := range reps + 1 {
		var d time.Duration
		var err error
		if dev.Info().Timestamps {
			d, err = dev.Time(run)
		} else {
			start := time.Now()
			if err = run(); err == nil {
				err = dev.Wait()
			}
			d = time.Since(start)
		}
		if err != nil {
			return nil, err
		}
		if i > 0 { // the first run compiles
			times = append(times, d)
		}
	}
	return times, nil
}
