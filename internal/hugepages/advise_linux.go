package hugepages

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// advise asks for huge pages. Go's heap grows by multiples of them, so that the
// whole pages around s belong to it.
func advise(s []float32) {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	first := at / size * size
	bytes := (at + 4*uintptr(len(s)) - first + size - 1) / size * size
	// The second request puts together what the heap has used before and is there
	// in small pages; systems before Linux 6.1 do that by themselves, in time. It
	// is no loss where there are no such pages.
	for _, advice := range []uintptr{unix.MADV_HUGEPAGE, unix.MADV_COLLAPSE} {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, first, bytes, advice); errno != 0 {
			break
		}
	}
	runtime.KeepAlive(s)
}
