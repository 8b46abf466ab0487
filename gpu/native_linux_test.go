//go:build cgo && linux

package gpu

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func init() { children["memory"] = childMemory }

// A device without room is an error with the numbers in it; what there was
// before stays, and releasing makes room again.
func TestDeviceOutOfMemory(t *testing.T) {
	assert.Empty(t, runChild(t, "memory"))
}

// childMemory runs with little address space, which is what software devices
// run out of. On a GPU its memory runs out instead.
func childMemory() error {
	d, err := childDevice()
	if err != nil {
		return err
	}
	x, err := d.NewBuffer(256)
	if err != nil {
		return err
	}
	if err := d.Write(x, 0, count(1, 64)); err != nil {
		return err
	}
	size := int(min(d.limit, 256<<20))
	var space syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &space); err != nil {
		return err
	}
	used, err := addressSpace()
	if err != nil {
		return err
	}
	// Room for some buffers and half of one: that half is there for what else
	// needs memory when one more is refused, such as a new thread of the runtime,
	// which ends the process where it gets none.
	space.Cur = min(space.Max, used+16*uint64(size)+uint64(size)/2)
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &space); err != nil {
		return err
	}
	var all []*Buffer
	for len(all) < 2000 {
		b, err := d.NewBuffer(size)
		if err == nil {
			all = append(all, b)
			continue
		}
		want := fmt.Sprintf("%d bytes asked for while %d buffers hold", size, len(all)+1)
		if !errors.Is(err, ErrOutOfMemory) || !strings.Contains(err.Error(), want) {
			return fmt.Errorf("after %d buffers: %v", len(all), err)
		}
		break
	}
	if len(all) == 0 || len(all) == 2000 {
		return fmt.Errorf("%d buffers of %d bytes were made", len(all), size)
	}
	if err := readRepeatedly(d, 10, 1); err != nil { // small ones fit still
		return err
	}
	for _, b := range all {
		b.Release()
	}
	for range 3 { // a different class: the idle ones have to go for it
		b, err := d.NewBuffer(size / 2)
		if err != nil {
			return err
		}
		defer b.Release()
	}
	got := make([]byte, 256)
	if err := d.Read(x, 0, got); err != nil {
		return err
	}
	if word(got, 63) != 64 {
		return fmt.Errorf("another buffer changed")
	}
	return nil
}

// addressSpace is the size of the process's address space in bytes.
func addressSpace() (uint64, error) {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var pages uint64
	_, err = fmt.Sscan(string(raw), &pages)
	return pages * uint64(os.Getpagesize()), err
}
