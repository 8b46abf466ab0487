package conformance

import (
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// resize resamples the spatial axes of x. Positions are those of half pixels
// unless corners are aligned; at a tie the nearest element is the lower one, of
// which ops has the upper: only sizes without ties are claimed.
func (c *call) resize(x *ops.Tensor, p ops.UpsampleParams) *ops.Tensor {
	y := c.do(ops.Upsample(x, p))
	if p.Mode == spec.NearestExact {
		for i := 2; i < x.Rank(); i++ {
			if in, out := x.Shape()[i], y.Shape()[i]; ties(in, out) {
				outside("nearest resampling from %d to %d, which has ties", in, out)
			}
		}
	}
	return y
}

// ties reports whether some (o+1/2)*in/out is a whole number.
func ties(in, out int) bool {
	for o := range out {
		if (2*o+1)*in%(2*out) == 0 {
			return true
		}
	}
	return false
}

// onnxUpsample (opset 7 to 9) scales by an attribute or an input; its nearest is
// floor(o/scale). Its linear mode does not say where pixels lie.
func onnxUpsample(c *call) []*Value {
	x := c.x(0)
	if m := c.attrs.String("mode", "nearest"); m != "nearest" {
		outside("Upsample in mode %s", m)
	}
	return one(c.do(ops.Upsample(x, ops.UpsampleParams{Scale: c.spatialScales(x, c.floats(1, "scales"))})))
}

// floats returns numbers from an input, or from the attribute.
func (c *call) floats(i int, attr string) []float32 {
	v := c.value(i)
	if v == nil {
		return c.attrs.Floats(attr)
	}
	f, err := v.Floats()
	if err != nil {
		panic(wrong{err})
	}
	return f
}

// spatialScales takes the scales of all axes, of which batch and channels stay.
func (c *call) spatialScales(x *ops.Tensor, scales []float32) []float64 {
	if len(scales) != x.Rank() || scales[0] != 1 || scales[1] != 1 {
		outside("scales %v for the shape %v", scales, x.Shape())
	}
	var out []float64
	for _, s := range scales[2:] {
		out = append(out, float64(s))
	}
	return out
}

// onnxResize (opset 11 and up; 10 has no roi and is Upsample's).
func onnxResize(c *call) []*Value {
	if c.opset < 11 {
		return onnxUpsample(c)
	}
	x := c.x(0)
	if c.attrs.Has("axes") || c.attrs.Bool("antialias", false) || c.attrs.Has("keep_aspect_ratio_policy") {
		outside("Resize of chosen axes, with antialiasing or a policy")
	}
	var p ops.UpsampleParams
	if sizes := c.ints(3, ""); len(sizes) == x.Rank() {
		if sizes[0] != x.Shape()[0] || sizes[1] != x.Shape()[1] {
			outside("Resize of the batch or the channels")
		}
		p.Size = sizes[2:]
	} else {
		p.Scale = c.spatialScales(x, c.floats(2, ""))
	}
	where := c.attrs.String("coordinate_transformation_mode", "half_pixel")
	mode, nearest := c.attrs.String("mode", "nearest"), c.attrs.String("nearest_mode", "round_prefer_floor")
	switch {
	case mode == "linear" && where == "align_corners":
		p.Mode, p.AlignCorners = spec.Linear, true
		return one(c.do(ops.Upsample(x, p)))
	case mode == "linear" && where == "half_pixel":
		p.Mode = spec.Linear
		return one(c.do(ops.Upsample(x, p)))
	case mode == "nearest" && where == "asymmetric" && nearest == "floor":
		return one(c.do(ops.Upsample(x, p)))
	case mode == "nearest" && where == "half_pixel" && nearest == "round_prefer_ceil":
		p.Mode = spec.NearestExact
		return one(c.do(ops.Upsample(x, p)))
	case mode == "nearest" && where == "half_pixel" && nearest == "round_prefer_floor":
		p.Mode = spec.NearestExact
		return one(c.resize(x, p))
	}
	outside("Resize in mode %s, %s, %s", mode, where, nearest)
	return nil
}

// webnnResample2d resamples two axes, by default the last of four.
func webnnResample2d(c *call) []*Value {
	axes := c.attrs.Ints("axes")
	if axes == nil {
		axes = []int{2, 3}
	}
	perm := axesLast(4, axes)
	x := c.transpose(c.param("input"), perm...)
	var p ops.UpsampleParams
	if sizes := c.attrs.Ints("sizes"); sizes != nil {
		p.Size = sizes
	} else if scales := c.attrs.Floats("scales"); scales != nil {
		p.Scale = []float64{float64(scales[0]), float64(scales[1])}
	} else {
		p.Scale = []float64{1}
	}
	var y *ops.Tensor
	switch mode := c.attrs.String("mode", "nearest-neighbor"); mode {
	case "nearest-neighbor":
		p.Mode = spec.NearestExact
		y = c.resize(x, p)
	case "linear":
		p.Mode = spec.Linear
		y = c.do(ops.Upsample(x, p))
	default:
		outside("resample2d in mode %q", mode)
	}
	return one(c.transpose(y, inverse(perm)...))
}
