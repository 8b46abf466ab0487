//go:build js

package gpu

import "fmt"

func findAdapters() ([]candidate, error) {
	return nil, fmt.Errorf("%w: x", ErrNoDevice)
}
