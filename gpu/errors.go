package gpu

import "errors"

// The kinds of failure. Errors returned by this package wrap one of them, so
// that errors.Is(err, gpu.ErrReleased) works; the message says what was wrong
// with which value.
var (
	// ErrNoDevice: no adapter can be used, or none was wanted.
	ErrNoDevice = errors.New("no GPU device")
	// ErrOutOfMemory: the device has no memory left for a buffer, even after
	// the idle buffers of the pool went back to the driver.
	ErrOutOfMemory = errors.New("out of device memory")
	// ErrDeviceLost: the device is gone (driver reset, unplugged, crashed). Its
	// buffers and kernels are worthless; open a new device.
	ErrDeviceLost = errors.New("device lost")
	// ErrClosed: the device was closed.
	ErrClosed = errors.New("device is closed")
	// ErrReleased: the buffer was released.
	ErrReleased = errors.New("buffer is released")
	// ErrTooLarge: a size is over what the device takes.
	ErrTooLarge = errors.New("too large for the device")
	// ErrShader: the shader did not compile or does not match its Program.
	ErrShader = errors.New("shader error")
	// ErrTimeout: the device did not finish within Options.Timeout.
	ErrTimeout = errors.New("device timed out")
	// ErrNoTimestamps: the device cannot measure its own time.
	ErrNoTimestamps = errors.New("device has no timestamps")
	// ErrInvalid: an argument is wrong in itself: a negative size, an offset
	// that is no multiple of 4, a group count of 0, a buffer of another device.
	ErrInvalid = errors.New("invalid argument")
	// ErrGuard: a shader wrote outside its buffer (Options.Debug only).
	ErrGuard = errors.New("write outside a buffer")
	// ErrDriver: the driver refused something that passed all checks here.
	ErrDriver = errors.New("driver error")
)
