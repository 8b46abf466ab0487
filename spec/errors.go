package spec

import (
	"errors"
	"fmt"
)

// The kinds of error that checks return. Test for them with errors.Is.
var (
	// ErrShape marks a tensor whose rank or shape does not fit the call.
	ErrShape = errors.New("shape error")
	// ErrParam marks a parameter that is out of its range.
	ErrParam = errors.New("parameter error")
	// ErrTooLarge marks a tensor with more elements than an index can hold, or
	// larger than the device can bind.
	ErrTooLarge = errors.New("too large")
	// ErrUnsupported marks a call that is well formed but that the device, or
	// the kernel which was asked for by name, cannot serve.
	ErrUnsupported = errors.New("unsupported")
)

// Error is a failed check: a sentence in the caller's terms and its kind.
type Error struct {
	Kind    error  // one of the sentinel errors
	Message string // names the offending value
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the kind, so that errors.Is finds it.
func (e *Error) Unwrap() error { return e.Kind }

func shapeErr(format string, args ...any) error {
	return &Error{ErrShape, fmt.Sprintf(format, args...)}
}

func paramErr(format string, args ...any) error {
	return &Error{ErrParam, fmt.Sprintf(format, args...)}
}

func sizeErr(format string, args ...any) error {
	return &Error{ErrTooLarge, fmt.Sprintf(format, args...)}
}
