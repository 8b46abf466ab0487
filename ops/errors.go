package ops

import (
	"errors"
	"fmt"

	"github.com/kansu-dev/kansu/gpu"
	"github.com/kansu-dev/kansu/spec"
)

// The kinds of error. Every error of this package wraps one of them (test with
// errors.Is) and says in the caller's terms what was wrong.
var (
	// ErrShape marks a tensor whose rank, shape or data length does not fit.
	ErrShape = spec.ErrShape
	// ErrParam marks a parameter out of range, NaN parameters among them.
	ErrParam = spec.ErrParam
	// ErrTooLarge marks a tensor past 2^31-1 elements or past the largest
	// buffer that the device can bind.
	ErrTooLarge = spec.ErrTooLarge
	// ErrUnsupported marks a forced kernel that cannot serve the call.
	ErrUnsupported = spec.ErrUnsupported
	// ErrReleased marks the use of a tensor after Release.
	ErrReleased = errors.New("tensor is released")
	// ErrEngine marks a call that mixes tensors of two engines.
	ErrEngine = errors.New("tensors of different engines")
	// ErrNil marks a missing tensor.
	ErrNil = errors.New("tensor is nil")
	// ErrType marks a tensor of indices where values are needed, or the reverse.
	ErrType = errors.New("wrong element type")
	// ErrClosed marks the use of an engine after Close.
	ErrClosed = gpu.ErrClosed
	// ErrOutOfMemory marks an allocation that the device refused.
	ErrOutOfMemory = gpu.ErrOutOfMemory
	// ErrDeviceLost marks a device that went away; its tensors are gone.
	ErrDeviceLost = gpu.ErrDeviceLost
	// ErrNoDevice says why no GPU is used; see Engine.Device.
	ErrNoDevice = gpu.ErrNoDevice
)

// fail prefixes an error with the function that the caller called.
func fail(function string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ops.%s: %w", function, err)
}
