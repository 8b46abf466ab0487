package spec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConvTransposeShapes(t *testing.T) {
	x, w := []int{1, 1, 3, 3}, []int{1, 2, 3, 3}
	for _, c := range []struct {
		name       string
		x, w       []int
		p          ConvTransposeParams
		want       []int
		begin, end []int
	}{
		{"plain", x, w, ConvTransposeParams{}, []int{1, 2, 5, 5}, []int{0, 0}, []int{0, 0}},
		{"stride", x, w, ConvTransposeParams{Stride: []int{3, 2}}, []int{1, 2, 9, 7}, []int{0, 0}, []int{0, 0}},
		{"output padding", x, w, ConvTransposeParams{Stride: []int{3, 2}, OutputPadding: []int{1}}, []int{1, 2, 10, 8}, []int{0, 0}, []int{0, 0}},
		{"output size", x, w, ConvTransposeParams{Stride: []int{3, 2}, OutputSize: []int{10, 8}}, []int{1, 2, 10, 8}, []int{0, 0}, []int{0, 0}},
		{"padding per side", x, w, ConvTransposeParams{Stride: []int{3, 2}, Padding: []int{1, 1, 2, 2}}, []int{1, 2, 6, 4}, []int{1, 1}, []int{2, 2}},
		{"same upper", x, w, ConvTransposeParams{Stride: []int{2}, AutoPad: SameUpper}, []int{1, 2, 6, 6}, []int{0, 0}, []int{1, 1}},
		{"same lower", x, w, ConvTransposeParams{Stride: []int{2}, AutoPad: SameLower}, []int{1, 2, 6, 6}, []int{1, 1}, []int{0, 0}},
		{"output shape, longer", x, w, ConvTransposeParams{Stride: []int{3, 2}, AutoPad: SameLower, OutputSize: []int{10, 8}}, []int{1, 2, 10, 8}, []int{0, 0}, []int{0, 0}},
		{"output shape, shorter", x, w, ConvTransposeParams{Stride: []int{3, 2}, AutoPad: SameLower, OutputSize: []int{8, 4}}, []int{1, 2, 8, 4}, []int{1, 2}, []int{0, 1}},
		{"output shape, upper", x, w, ConvTransposeParams{Stride: []int{3, 2}, AutoPad: SameUpper, OutputSize: []int{8, 4}}, []int{1, 2, 8, 4}, []int{0, 1}, []int{1, 2}},
		{"output shape with output padding", x, w, ConvTransposeParams{Stride: []int{3, 2}, AutoPad: SameLower, OutputPadding: []int{1}, OutputSize: []int{10, 7}}, []int{1, 2, 10, 7}, []int{0, 1}, []int{0, 0}},
		{"1-D, dilation, groups", []int{2, 6, 12}, []int{6, 3, 3}, ConvTransposeParams{Dilation: []int{2}, Padding: []int{1}, Groups: 3}, []int{2, 9, 14}, []int{1}, []int{1}},
		{"3-D", []int{1, 1, 3, 4, 5}, []int{1, 2, 3, 3, 3}, ConvTransposeParams{}, []int{1, 2, 5, 6, 7}, []int{0, 0, 0}, []int{0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := NewConvTranspose(c.x, c.w, nil, c.p)
			require.NoError(t, err)
			assert.Equal(t, c.want, g.OutShape())
			lead := 3 - g.Rank
			assert.Equal(t, c.begin, g.PadBegin[lead:])
			assert.Equal(t, c.end, g.PadEnd[lead:])
			for i := range g.Out {
				reach := (g.In[i]-1)*g.Stride[i] + g.Extent(i) - g.PadBegin[i] - g.PadEnd[i] + g.OutputPadding[i]
				assert.Equal(t, g.Out[i], reach, "axis %d: sizes, padding and output padding agree", i)
			}
		})
	}
}

func TestConvTransposeErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		x, w, b []int
		p       ConvTransposeParams
		kind    error
		says    string
	}{
		{"rank", []int{3, 3}, []int{3, 3}, nil, ConvTransposeParams{}, ErrShape, "[3 3]"},
		{"weight rank", []int{1, 3, 3}, []int{3, 3}, nil, ConvTransposeParams{}, ErrShape, "weight is [3 3]"},
		{"weight channels", []int{1, 3, 5}, []int{4, 2, 3}, nil, ConvTransposeParams{}, ErrShape, "the input has 3"},
		{"zero axis", []int{1, 3, 0}, []int{3, 2, 3}, nil, ConvTransposeParams{}, ErrShape, "size 0"},
		{"groups", []int{1, 3, 5}, []int{3, 2, 3}, nil, ConvTransposeParams{Groups: 2}, ErrParam, "groups is 2"},
		{"negative groups", []int{1, 3, 5}, []int{3, 2, 3}, nil, ConvTransposeParams{Groups: -1}, ErrParam, "groups is -1"},
		{"bias", []int{1, 4, 5}, []int{4, 2, 3}, []int{2}, ConvTransposeParams{Groups: 2}, ErrShape, "bias is [2]"},
		{"stride", []int{1, 3, 5}, []int{3, 2, 3}, nil, ConvTransposeParams{Stride: []int{0}}, ErrParam, "stride [0]"},
		{"output padding", []int{1, 3, 5}, []int{3, 2, 3}, nil, ConvTransposeParams{Stride: []int{2}, OutputPadding: []int{2}}, ErrParam, "output padding 2"},
		{"both", []int{1, 3, 5}, []int{3, 2, 3}, nil, ConvTransposeParams{Stride: []int{2}, OutputPadding: []int{1}, OutputSize: []int{12}}, ErrParam, "give one of them"},
		{"output size", []int{1, 3, 5}, []int{3, 2, 3}, nil, ConvTransposeParams{Stride: []int{2}, OutputSize: []int{13}}, ErrParam, "from 11 to 12, not 13"},
		{"negative output size", []int{1, 3, 5}, []int{3, 2, 3}, nil, ConvTransposeParams{AutoPad: SameUpper, OutputSize: []int{-1}}, ErrParam, "size -1"},
		{"output size numbers", []int{1, 3, 5, 5}, []int{3, 2, 3, 3}, nil, ConvTransposeParams{OutputSize: []int{1, 2, 3}}, ErrParam, "3 numbers"},
		{"padding cuts all", []int{1, 3, 2}, []int{3, 2, 3}, nil, ConvTransposeParams{Padding: []int{2}}, ErrShape, "no element left"},
		{"auto and explicit", []int{1, 3, 2}, []int{3, 2, 3}, nil, ConvTransposeParams{Padding: []int{2}, AutoPad: SameUpper}, ErrParam, "give one of them"},
		{"auto unknown", []int{1, 3, 2}, []int{3, 2, 3}, nil, ConvTransposeParams{AutoPad: 9}, ErrParam, "AutoPad(9)"},
		{"overflow", []int{1, 1, 1 << 20}, []int{1, 1, 3}, nil, ConvTransposeParams{Stride: []int{1 << 15}}, ErrTooLarge, "stride 32768"},
		{"output overflow", []int{1, 1, 1 << 15, 1 << 15}, []int{1, 1, 3, 3}, nil, ConvTransposeParams{Stride: []int{2}}, ErrTooLarge, "more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewConvTranspose(c.x, c.w, c.b, c.p)
			require.ErrorIs(t, err, c.kind)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestConvTransposeTerms(t *testing.T) {
	// Brute force: the most taps that meet an input at any output.
	for kernel := 1; kernel <= 7; kernel++ {
		for stride := 1; stride <= 6; stride++ {
			for dilation := 1; dilation <= 4; dilation++ {
				g, err := NewConvTranspose([]int{1, 2, 40}, []int{2, 1, kernel}, nil,
					ConvTransposeParams{Stride: []int{stride}, Dilation: []int{dilation}})
				require.NoError(t, err)
				hits := make([]int, g.Out[2])
				for i := range 40 {
					for k := range kernel {
						hits[i*stride+k*dilation]++
					}
				}
				most := 0
				for _, h := range hits {
					most = max(most, h)
				}
				assert.Equal(t, 2*most, g.Terms(), "kernel %d stride %d dilation %d", kernel, stride, dilation)
			}
		}
	}
}
