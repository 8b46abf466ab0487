//go:build !cgo && !js

package gpu

import "fmt"

// findAdapters: the WebGPU library is C, so a build without cgo has no device.
func findAdapters() ([]candidate, error) {
	return nil, fmt.Errorf("%w: the program was built without cgo (CGO_ENABLED=0)", ErrNoDevice)
}
