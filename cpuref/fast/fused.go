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
// are those of the functions one by one. y does not overlap an input.
func Fused(y []float32, in [][]float32, f *spec.Fused) {
	perElement := 0.0
	for _, s := range f.Steps {
		switch {
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
	stream := streams(f.N)
	ParallelRange(f.N, pointwiseChunk, perElement*float64(f.N), func(low, high int) {
		scratch := getScratch(min(fusedBlock, high-low))
		for lo := low; lo < high; lo += fusedBlock {
			fusedRange(y, in, f, lo, min(high, lo+fusedBlock), scratch, stream)
		}
		putScratch(scratch)
	})
}

// fusedRange computes elements lo to hi.
func fusedRange(y []float32, in [][]float32, f *spec.Fused, lo, hi int, scratch []float32, stream bool) {
	v, between := in[0][lo:hi], scratch[:hi-lo]
	for k := range f.Steps {
		s := &f.Steps[k]
		dst, last := between, k == len(f.Steps)-1
		if last {
			dst = y[lo:hi]
		}
		if s.Other < 0 {
			pointwiseRange(s.Act, dst, v, stream && last)
		} else {
			fusedBinary(s, dst, v, in[s.Other], f.Inputs[s.Other], lo, stream && last)
		}
		v = dst
	}
}

// fusedBinary applies a function of the chain's values v, of which the first is
// element lo, and another input, as far as that goes on without a jump at once.
func fusedBinary(s *spec.FusedStep, dst, v, other []float32, in spec.FusedInput, lo int, stream bool) {
	repeat := in.Inner > 1 || in.Size == 1
	row := binaryRow(s.Func, repeat && s.Second, repeat && !s.Second, stream)
	for len(dst) > 0 {
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
