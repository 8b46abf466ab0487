package tests

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/cpuref"
	"github.com/kansu-dev/kansu/cpuref/fast"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

var (
	exhaustiveFlag = flag.Bool("exhaustive", false, "sweep the pointwise functions over all 2^32 inputs, not a sample; -run TestPointwiseSweep/go/exp chooses one")
	strideFlag     = flag.Uint("stride", 0, "sweep the pointwise functions over every so manieth of all 2^32 inputs, best a prime such as 257")
	pieceFlag      = flag.String("piece", "1/1", "with -exhaustive: this part of the inputs, as 3/16 for the third of 16")
)

// TestPointwiseSweep compares every pointwise function with its oracle, under
// its budget: the portable Go form, the vectorised one, and what ops calls, on
// each backend. The sample has every exponent, every special value, and the neighbours of all places where a
// function or an implementation changes its form.
func TestPointwiseSweep(t *testing.T) {
	s := seed(t)
	type form struct {
		name string
		run  func(f spec.Activation, x []float32) ([]float32, error)
	}
	forms := []form{{"go", func(f spec.Activation, x []float32) ([]float32, error) {
		y := make([]float32, len(x))
		cpuref.Pointwise32(f, y, x)
		return y, nil
	}}, {"fast", func(f spec.Activation, x []float32) ([]float32, error) {
		y := make([]float32, len(x))
		fast.Pointwise(f, y, x)
		return y, nil
	}}}
	for _, b := range backends(t) {
		e, err := b.open()
		require.NoError(t, err)
		defer e.Close()
		forms = append(forms, form{"ops/" + b.name, func(f spec.Activation, x []float32) ([]float32, error) {
			in, err := e.Tensor(x, len(x))
			if err != nil {
				return nil, err
			}
			defer in.Release()
			out, err := ops.Pointwise(in, f)
			if err != nil {
				return nil, err
			}
			defer out.Release()
			return out.Data()
		}})
	}
	for _, fm := range forms {
		t.Run(fm.name, func(t *testing.T) {
			for _, f := range sweepActivations() {
				t.Run(f.String(), func(t *testing.T) {
					var w sweepWorst
					for x := range sweepInputs(rand.New(rand.NewPCG(s, uint64(f.Func))), f) {
						y, err := fm.run(f, x)
						require.NoError(t, err)
						w.compare(f, x, y)
					}
					t.Logf("worst %.3f of the budget (%v), %.3f ulp, at %v, over %d inputs", w.err, f.Budget(), w.ulp, w.x, w.count)
					if w.bad > 0 {
						t.Errorf("%v: %d of %d inputs are over the budget of %v; the worst: x = %v (bits %#08x) gives %v, want %v",
							f, w.bad, w.count, f.Budget(), w.x, math.Float32bits(w.x), w.got, w.want)
					}
				})
			}
		})
	}
}

// sweepActivations are the functions with their defaults, and with parameters
// that are hard on their formulas.
func sweepActivations() []spec.Activation {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	var all []spec.Activation
	for _, p := range spec.Pointwises() {
		all = append(all, p.Default())
	}
	return append(all,
		spec.Activation{Func: spec.LeakyReLU, A: -97.7},
		spec.Activation{Func: spec.LeakyReLU, A: 0},
		spec.Activation{Func: spec.ELU, A: -3.468},
		spec.Activation{Func: spec.ELU, A: 100},
		spec.Activation{Func: spec.CELU, A: 0.7},
		spec.Activation{Func: spec.CELU, A: 1e6},
		spec.Activation{Func: spec.CELU, A: 1e-6},
		spec.Activation{Func: spec.Swish, A: 1.702},
		spec.Activation{Func: spec.Swish, A: -0.77},
		spec.Activation{Func: spec.Swish, A: 1e-3},
		spec.Activation{Func: spec.Swish, A: 0},
		spec.Activation{Func: spec.Softplus, A: 0.3, B: 20},
		spec.Activation{Func: spec.Softplus, A: 10.01, B: 0.5},
		spec.Activation{Func: spec.Softplus, A: -1.5, B: inf},
		spec.Activation{Func: spec.Softplus, A: 0.01, B: -3},
		spec.Activation{Func: spec.HardSigmoid, A: 0.2, B: 0.5},
		spec.Activation{Func: spec.HardSigmoid, A: -3, B: -7},
		spec.Activation{Func: spec.HardSigmoid, A: 0, B: 0.3},
		spec.Activation{Func: spec.HardTanh, A: nan, B: 6},
		spec.Activation{Func: spec.HardTanh, A: 0, B: nan},
		spec.Activation{Func: spec.HardTanh, A: 5, B: 2},
		spec.Activation{Func: spec.HardTanh, A: -inf, B: -1},
		spec.Activation{Func: spec.HardShrink, A: 0},
		spec.Activation{Func: spec.SoftShrink, A: 0},
		spec.Activation{Func: spec.Shrink, A: 1.5, B: 1.5},
		spec.Activation{Func: spec.Shrink, A: -0.5, B: 0.3},
		spec.Activation{Func: spec.Threshold, A: -0.1, B: 20},
		spec.Activation{Func: spec.Affine, A: -7.4, B: 5.92},
		spec.Activation{Func: spec.Affine, A: 0, B: 3},
	)
}

// sweepInputs yields the inputs of a function in chunks.
func sweepInputs(r *rand.Rand, f spec.Activation) func(yield func([]float32) bool) {
	const chunk = 1 << 20
	return func(yield func([]float32) bool) {
		if *exhaustiveFlag {
			x := make([]float32, chunk)
			var piece, of uint64
			if n, _ := fmt.Sscanf(*pieceFlag, "%d/%d", &piece, &of); n != 2 || piece < 1 || piece > of {
				panic(fmt.Sprintf("-piece is %q, not like 3/16", *pieceFlag))
			}
			const all = 1 << 32 / chunk
			for base := (piece - 1) * all / of * chunk; base < piece*all/of*chunk; base += chunk {
				for i := range x {
					x[i] = math.Float32frombits(uint32(base) + uint32(i))
				}
				if !yield(x) {
					return
				}
			}
			return
		}
		if step := uint64(*strideFlag); step > 0 {
			x := make([]float32, 0, chunk)
			for bits := uint64(f.Func) % step; bits < 1<<32; bits += step {
				if x = append(x, math.Float32frombits(uint32(bits))); len(x) == chunk {
					if !yield(x) {
						return
					}
					x = x[:0]
				}
			}
			if len(x) > 0 {
				yield(x)
			}
			return
		}
		for part := range slices.Chunk(sweepSample(r, f), chunk) {
			if !yield(part) {
				return
			}
		}
	}
}

// sweepSample is about 700,000 inputs.
func sweepSample(r *rand.Rand, f spec.Activation) []float32 {
	const (
		perExponent = 1000   // of each sign and exponent, NaN's and the subnormals' included
		uniform     = 150000 // where most functions are neither 0 nor infinite
	)
	var xs []float32
	add := func(bits uint32) { xs = append(xs, math.Float32frombits(bits), math.Float32frombits(bits^1<<31)) }
	for e := uint32(0); e < 256; e++ {
		for _, m := range []uint32{0, 1, 2, 3, 0x3fffff, 0x400000, 0x400001, 0x7ffffd, 0x7ffffe, 0x7fffff} {
			add(e<<23 | m)
		}
		for range perExponent {
			add(e<<23 | r.Uint32()>>9)
		}
	}
	for range uniform / 3 {
		xs = append(xs, float32((r.Float64()-0.5)*220), float32((r.Float64()-0.5)*24), float32((r.Float64()-0.5)*3))
	}
	around := func(v float64, reach uint32) {
		b := math.Float32bits(float32(v))
		for d := -reach; d != reach+1; d++ {
			add(b + d)
		}
	}
	// Kinks, joints of piecewise forms, overflow and underflow.
	for _, v := range []float64{0.25, 0.29, 1. / 3, 0.41, 0.5, 0.55, 0.625, 2. / 3, 1, 4. / 3, 2.5, 3, 4, 6, 10, 11, 14.5, 20,
		30, 87.33654, 88.37626, 88.72284, 89.41599, 90, 103.97208, 104, 110, 126, 127, 128, 149, 150, 170, 400, 8192,
		1 << 17, 1 << 20, 1 << 22, 1 << 23, 1 << 24, 1 << 31, 1 << 32, 0x1p60, 0x1p62, 0x1p64, 0x1p126, 0x1p127} {
		around(v, 40)
		around(1/v, 8)
	}
	for _, p := range []float32{f.A, f.B} {
		for _, v := range []float64{1, 0.5, 2, 3, 20} {
			if p != 0 && !math.IsNaN(float64(p)) {
				around(v*float64(p), 8)
				around(v/float64(p), 8)
				around(float64(f.B)/float64(f.A), 8)
			}
		}
	}
	for n := 1.0; n < 300; n++ { // halves for Round, multiples for the reductions
		around(n/2, 2)
		around(n*math.Ln2/2, 2)
		around(n*math.Pi/4, 2)
	}
	for range 3000 { // zeros of the circular functions, far out
		around(math.Round(math.Exp(r.Float64()*40))*math.Pi/2, 1)
	}
	around(16367173*0x1p72, 1) // of all float32s the nearest to a multiple of pi/2
	return xs
}

// sweepWorst gathers the worst error.
type sweepWorst struct {
	err, ulp float64
	x, got   float32
	want     float64
	bad      int
	count    int
}

// compare adds the results y of inputs x.
func (w *sweepWorst) compare(f spec.Activation, x, y []float32) {
	parts := make([]sweepWorst, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for p := range parts {
		wg.Go(func() {
			b := f.Budget()
			for i := p * len(x) / len(parts); i < (p+1)*len(x)/len(parts); i++ {
				parts[p].one(f, b, x[i], y[i])
			}
		})
	}
	wg.Wait()
	for _, p := range parts {
		if p.err > w.err {
			w.err, w.x, w.got, w.want = p.err, p.x, p.got, p.want
		}
		w.ulp = max(w.ulp, p.ulp)
		w.bad += p.bad
		w.count += p.count
	}
}

func (w *sweepWorst) one(f spec.Activation, b spec.Budget, x, got float32) {
	w.count++
	v := float64(x)
	want := cpuref.Pointwise64(f, v)
	e := b.Err(got, want, 0)
	if e > 1 && math.Abs(v) < 0x1p-126 { // a device may take a subnormal input for zero, or come closer
		atZero := cpuref.Pointwise64(f, math.Copysign(0, v))
		if b.Allows(got, atZero, 0) || math.Abs(float64(got)-want) <= math.Abs(atZero-want) && !math.IsInf(atZero, 0) {
			return
		}
	}
	if e > 0 && !math.IsInf(e, 0) {
		w.ulp = max(w.ulp, spec.ULPDistance(got, want))
	}
	if e > w.err {
		w.err, w.x, w.got, w.want = e, x, got, want
	}
	if e > 1 {
		w.bad++
	}
}

// NaN and the circular functions' range, whatever the input.
func TestPointwiseNeverOutside(t *testing.T) {
	s := seed(t)
	xs := sweepSample(rand.New(rand.NewPCG(s, 0)), spec.Activation{})
	onEach(t, func(t *testing.T, e *ops.Engine) {
		for _, p := range []spec.Pointwise{spec.Sin, spec.Cos, spec.Tanh, spec.Erf, spec.Softsign, spec.Sigmoid} {
			in, err := e.Tensor(xs, len(xs))
			require.NoError(t, err)
			out, err := ops.Pointwise(in, p.Default())
			require.NoError(t, err)
			ys, err := out.Data()
			require.NoError(t, err)
			for i, y := range ys {
				if y > 1 || y < -1 {
					t.Fatalf("%v(%v) = %v", p, xs[i], y)
				}
			}
			in.Release()
			out.Release()
		}
	})
}
