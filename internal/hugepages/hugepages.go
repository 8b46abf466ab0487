// Package hugepages allocates large arrays of floats in huge pages, where the
// system has them and gives them to those who ask. A pass over tens of megabytes
// in ordinary pages spends a quarter of its time on the translation of addresses,
// and more in a virtual machine.
package hugepages

// size is that of a huge page: 2 MiB on amd64, and on arm64 where pages have 4 KiB.
// Elsewhere the request does no harm.
const size = 2 << 20

// Floats returns n zeros, on Go's heap. From a huge page on the system is asked
// to put them, and what else is in the pages where they begin and end, in huge
// pages.
func Floats(n int) []float32 {
	s := make([]float32, n)
	if 4*n >= size {
		advise(s)
	}
	return s
}
