package spec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnpoolShapes(t *testing.T) {
	for _, c := range []struct {
		name string
		x    []int
		p    UnpoolParams
		want []int
	}{
		{"plain", []int{1, 2, 3, 4}, UnpoolParams{Kernel: []int{2}}, []int{1, 2, 6, 8}},
		{"stride and padding", []int{1, 2, 6, 6}, UnpoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}, []int{1, 2, 11, 11}},
		{"output size", []int{1, 2, 6, 6}, UnpoolParams{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}, OutSize: []int{12, 10}}, []int{1, 2, 12, 10}},
		{"1-D", []int{1, 2, 6}, UnpoolParams{Kernel: []int{3}}, []int{1, 2, 18}},
		{"3-D", []int{1, 2, 2, 3, 4}, UnpoolParams{Kernel: []int{2}}, []int{1, 2, 4, 6, 8}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := NewUnpool(c.x, c.x, c.p)
			require.NoError(t, err)
			assert.Equal(t, c.want, g.OutShape())
		})
	}
}

func TestUnpoolErrors(t *testing.T) {
	x := []int{1, 2, 6, 6}
	for _, c := range []struct {
		name    string
		x, idx  []int
		p       UnpoolParams
		err     error
		message string
	}{
		{"rank", []int{6}, []int{6}, UnpoolParams{Kernel: []int{2}}, ErrShape, "[6]"},
		{"indices", x, []int{1, 2, 6, 5}, UnpoolParams{Kernel: []int{2}}, ErrShape, "[1 2 6 5]"},
		{"no kernel", x, x, UnpoolParams{}, ErrParam, "no kernel"},
		{"stride", x, x, UnpoolParams{Kernel: []int{2}, Stride: []int{0}}, ErrParam, "stride [0]"},
		{"output size too large", x, x, UnpoolParams{Kernel: []int{2}, OutSize: []int{14}}, ErrParam, "output size 14"},
		{"output size too small", x, x, UnpoolParams{Kernel: []int{2}, OutSize: []int{10}}, ErrParam, "output size 10"},
		{"nothing left", []int{1, 1, 1}, []int{1, 1, 1}, UnpoolParams{Kernel: []int{2}, Padding: []int{1}}, ErrParam, "size 0"},
		{"too many elements", []int{1, 1, 9000, 9000}, []int{1, 1, 9000, 9000}, UnpoolParams{Kernel: []int{9}}, ErrTooLarge, "elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewUnpool(c.x, c.idx, c.p)
			require.ErrorIs(t, err, c.err)
			assert.Contains(t, err.Error(), c.message)
		})
	}
}
