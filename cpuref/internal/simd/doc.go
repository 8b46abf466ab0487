// Package simd has the inner loops of the fast CPU path: on amd64 as AVX-512
// and AVX2 assembly, chosen at run time by what the processor has, on arm64 with
// NEON in the tiles of matrix products, and in portable Go everywhere else and
// under the build tag purego.
//
// The functions take raw lengths and trust their callers, package fast: they
// check nothing. The assembly is written by the generator in gen, a module of
// its own; "go generate" runs it.
//
// The environment variable KANSU_SIMD limits the level: "portable", "avx2" or
// "avx512" (which is also the default where the processor has it).
package simd

//go:generate go -C gen run .
