package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// fusedBlock is how many elements a chain takes at once: what is between two
// functions stays in the nearest cache. It is a multiple of every vector.
const fusedBlock = 2048

// Fused computes a chain of functions, element by element, block by block, so
// that inputs are read and the result is written once; see spec.Fused. The bits
// are those of the functions one by one. y may be the first input, where that is
// read nowhere else, and overlaps no other.
func Fused(y []float32, in [][]float32, f *spec.Fused) {
	large := streamsOne
	for _, v := range in[1:] {
		if len(v) == f.N {
			large = streams
		}
	}
	steps := fusedSteps(f, in, large(f.N) && &y[0] != &in[0][0])
	ParallelRange(f.N, pointwiseChunk, fusedNs(f), func(low, high int) {
		scratch := getScratch(min(fusedBlock, high-low))
		for lo := low; lo < high; lo += fusedBlock {
			hi := min(high, lo+fusedBlock)
			v, between := in[0][lo:hi], scratch[:hi-lo]
			for k, step := range steps {
				dst := between
				if k == len(steps)-1 {
					dst = y[lo:hi]
				}
				step(dst, v, lo)
				v = dst
			}
		}
		putScratch(scratch)
	})
}

// fusedNs is a guess at the time that a chain takes on one core.
func fusedNs(f *spec.Fused) float64 {
	perElement := 0.0
	for _, s := range f.Steps {
		switch {
		case s.Norm != nil:
			perElement += 0.5
		case s.Other >= 0 && s.Func == spec.Pow:
			perElement += 40
		case s.Other >= 0:
			perElement += 0.5
		case simd.Active() == simd.Portable:
			perElement += 15
		default:
			perElement++
		}
	}
	return perElement * float64(f.N)
}

// fusedStep computes dst from the chain's values v, of which the first is element
// lo; dst may be v.
type fusedStep func(dst, v []float32, lo int)

// fusedSteps returns the steps of a chain; the stores of the last one bypass the
// cache where stream is set.
func fusedSteps(f *spec.Fused, in [][]float32, stream bool) []fusedStep {
	steps := make([]fusedStep, len(f.Steps))
	for k := range f.Steps {
		s := &f.Steps[k]
		stream := stream && k == len(f.Steps)-1
		switch {
		case s.Norm != nil:
			steps[k] = fusedNorm(s.Norm, in, stream)
		case s.Other < 0:
			steps[k] = func(dst, v []float32, _ int) { pointwiseRange(s.Act, dst, v, stream) }
		default:
			steps[k] = fusedBinary(s, in[s.Other], f.Inputs[s.Other], stream)
		}
	}
	return steps
}

// fusedBinary is a function of the chain's values and another input.
func fusedBinary(s *spec.FusedStep, other []float32, in spec.FusedInput, stream bool) fusedStep {
	repeat := in.Inner > 1 || in.Size == 1
	row := binaryRow(s.Func, repeat && s.Second, repeat && !s.Second, stream)
	return func(dst, v []float32, lo int) {
		for len(dst) > 0 { // as far as that goes on without a jump
			at := lo / in.Inner % in.Size
			n := in.Size - at
			if repeat {
				n = in.Inner - lo%in.Inner
			}
			n = min(n, len(dst))
			if s.Second {
				row(dst[:n], other[at:], v)
			} else {
				row(dst[:n], v, other[at:])
			}
			dst, v, lo = dst[n:], v[n:], lo+n
		}
	}
}

// fusedNorm is a normalization, as normalizeRow does it.
func fusedNorm(g *spec.FusedNorm, in [][]float32, stream bool) fusedStep {
	a, b, c := fusedFactors(g, in)
	return func(dst, v []float32, lo int) {
		for len(dst) > 0 {
			i := lo / g.Inner % g.Size
			n := min(g.Inner-lo%g.Inner, len(dst))
			centerStream(dst[:n], v[:n], a[i], b[i], c[i], stream)
			dst, v, lo = dst[n:], v[n:], lo+n
		}
	}
}

// fusedFactors returns what a normalization makes of the channels' elements:
// (x-a)*b + c.
func fusedFactors(g *spec.FusedNorm, in [][]float32) (a, b, c []float32) {
	factors := make([]float32, 3*g.Size)
	a, b, c = factors[:g.Size], factors[g.Size:2*g.Size], factors[2*g.Size:]
	norm := spec.Norm{Eps: g.Eps}
	for i := range a {
		m, k, add := float64(in[g.Mean][i]), invStd(float64(in[g.Variance][i]), &norm), 0.0
		a[i] = float32(m)
		rest := m - float64(a[i]) // not 0 where the mean is infinite
		if g.Scale >= 0 {
			k *= float64(in[g.Scale][i])
		}
		if g.Shift >= 0 {
			add = float64(in[g.Shift][i])
		}
		b[i], c[i] = float32(k), float32(add-rest*k)
	}
	return a, b, c
}
