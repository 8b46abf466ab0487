// Package fast computes the functions of kansu on the processor at speed: on
// all cores, with the SIMD loops of package simd, and without cgo. It is the
// fallback where there is no adapter; package cpuref above it has the same
// functions as plain loops and is what the tests compare it with.
//
// # Repeatability
//
// Work is cut into tasks by the shapes alone. How many threads take the tasks,
// and in which order, never changes the order in which numbers are added: a
// result is the same bit for bit with 1 thread and with 64. Between AVX2 and
// AVX-512 most results agree bit for bit as well; portable Go has no fused
// multiply-add and differs in the last places.
//
// # Threads
//
// A call uses up to GOMAXPROCS goroutines, or fewer after SetThreads, and small
// work stays on the calling goroutine. The goroutines that help look out for more
// work for 150 us after their call, giving way to others, and end. Functions may be
// called from many goroutines at once.
//
// # Memory
//
// Most functions take as long as their arrays take to pass by. Each goroutine goes
// through one stretch of them, in the order of memory; large arrays lie in huge
// pages where Linux gives these; stores bypass the cache where an array is too large
// for it, and not where it overwrites its source.
//
// # Arguments
//
// As in cpuref, geometries have passed the checks of package spec, and slices
// have the right lengths. Unless it says otherwise a function may not be given
// a destination that overlaps a source.
//
// The environment variable KANSU_SIMD, "portable", "avx2" or "avx512", limits
// the instruction set; SIMD tells which one is in use.
package fast

import "github.com/kansu-dev/kansu/cpuref/internal/simd"

// SIMD returns the name of the instruction set in use: "avx512", "avx2", "neon"
// (in the matrix products and convolutions of arm64) or "portable".
func SIMD() string { return simd.Name() }
