package spec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBinaryRows(t *testing.T) {
	for _, c := range []struct {
		a, b []int
		want Along
		ok   bool
	}{
		{[]int{2, 7, 3, 4}, []int{7, 1, 1}, Along{Outer: 2, N: 7, Inner: 12}, true},
		{[]int{7, 3}, []int{7, 1}, Along{Outer: 1, N: 7, Inner: 3}, true},
		{[]int{2, 7}, []int{7}, Along{}, false}, // along a row
		{[]int{2, 7, 3}, []int{1}, Along{}, false},
		{[]int{2, 7, 3}, []int{2, 7, 3}, Along{}, false},
		{[]int{2, 7, 3}, []int{2, 1, 3}, Along{}, false},
		{[]int{2, 5, 7, 3}, []int{2, 1, 7, 1}, Along{}, false},
	} {
		g, err := NewBinary(PReLU, c.a, c.b)
		require.NoError(t, err)
		rows, ok := g.Rows()
		require.Equal(t, c.ok, ok, "%v %v", c.a, c.b)
		if ok {
			require.Equal(t, c.want, rows, "%v %v", c.a, c.b)
		}
	}
}
