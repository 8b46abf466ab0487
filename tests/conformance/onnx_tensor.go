package conformance

import (
	"slices"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// onHost is an operator with one form for floats and one for integers, which
// stay on the host: shapes, axes and indices that a graph computes.
func onHost(floats, integers operator) operator {
	return func(c *call) []*Value {
		if len(c.in) > 0 && c.in[0] != nil && !c.in[0].IsFloat() {
			return integers(c)
		}
		return floats(c)
	}
}

// viewed is an operator that gives its first input another shape.
func viewed(shape func(c *call, old []int) []int) operator {
	return onHost(
		func(c *call) []*Value { return one(c.reshape(c.x(0), shape(c, c.in[0].shape)...)) },
		func(c *call) []*Value {
			v := *c.in[0]
			to, err := spec.Reshape(v.shape, shape(c, v.shape))
			if err != nil {
				panic(wrong{err})
			}
			v.shape = to
			return []*Value{&v}
		})
}

// onnxReshape: a 0 keeps the axis at its place.
func onnxReshape(c *call, old []int) []int {
	shape := slices.Clone(c.ints(1, "shape"))
	for i, s := range shape {
		if s == 0 && !c.attrs.Bool("allowzero", false) && i < len(old) {
			shape[i] = old[i]
		}
	}
	return shape
}

func onnxFlatten(c *call, old []int) []int {
	at := c.attrs.Int("axis", 1)
	if at < 0 {
		at += len(old)
	}
	if at < 0 || at > len(old) {
		fail("axis %d is outside of %v", at, old)
	}
	return []int{spec.Count(old[:at]), spec.Count(old[at:])}
}

func onnxSqueeze(c *call, old []int) []int {
	axes := c.ints(1, "axes")
	drop := make([]bool, len(old))
	for _, a := range axes {
		drop[axis(a, len(old))] = true
	}
	shape := []int{}
	for i, s := range old {
		if drop[i] || len(axes) == 0 && s == 1 {
			if s != 1 {
				fail("axis %d of %v cannot be squeezed", i, old)
			}
			continue
		}
		shape = append(shape, s)
	}
	return shape
}

func onnxUnsqueeze(c *call, old []int) []int {
	axes := c.ints(1, "axes")
	rank := len(old) + len(axes)
	fresh := make([]bool, rank)
	for _, a := range axes {
		fresh[axis(a, rank)] = true
	}
	shape := make([]int, rank)
	for i, j := 0, 0; i < rank; i++ {
		if shape[i] = 1; !fresh[i] {
			shape[i] = old[j]
			j++
		}
	}
	return shape
}

func onnxTranspose(c *call) []*Value {
	return one(c.do(ops.Transpose(c.x(0), c.attrs.Ints("perm")...)))
}

// onnxConcat: the second axis by default, as in opset 1.
func onnxConcat(c *call) []*Value {
	return one(c.do(ops.Concat(c.attrs.Int("axis", 1), c.all()...)))
}

// concatIntegers joins lists.
func concatIntegers(c *call) []*Value {
	out := []int64{}
	for _, v := range c.in {
		if v == nil || len(v.shape) != 1 {
			outside("concatenation of integers with several axes")
		}
		out = append(out, v.i...)
	}
	return []*Value{Integers(out, len(out))}
}

// cut returns positions first to last-1 of an axis.
func (c *call) cut(x *ops.Tensor, axis, first, last int) *ops.Tensor {
	begin, end := make([]int, x.Rank()), x.Shape()
	begin[axis], end[axis] = first, last
	return c.do(ops.Slice(x, begin, end, nil))
}

// split cuts a tensor into parts of these sizes.
func (c *call) split(x *ops.Tensor, axis int, sizes []int) []*Value {
	var out []*Value
	at := 0
	for _, n := range sizes {
		out = append(out, device(c.cut(x, axis, at, at+n)))
		at += n
	}
	if at != x.Shape()[axis] {
		fail("parts %v of an axis of %v", sizes, x.Shape())
	}
	return out
}

// onnxSplit: parts as given, or as many equal ones as there are outputs, the
// last of which may be smaller.
func onnxSplit(c *call) []*Value {
	x := c.x(0)
	at := axis(c.attrs.Int("axis", 0), x.Rank())
	sizes := c.ints(1, "split")
	if sizes == nil {
		parts := c.attrs.Int("num_outputs", c.outputs)
		n := x.Shape()[at]
		each := (n + parts - 1) / parts
		for left := n; left > 0; left -= each {
			sizes = append(sizes, min(each, left))
		}
	}
	return c.split(x, at, sizes)
}

// onnxSlice has its parameters as attributes before opset 10, as inputs since.
func onnxSlice(c *call) []*Value {
	x := c.x(0)
	starts, ends, axes, steps := c.ints(1, "starts"), c.ints(2, "ends"), c.ints(3, "axes"), c.ints(4, "steps")
	begin, end, step := make([]int, x.Rank()), x.Shape(), slices.Repeat([]int{1}, x.Rank())
	for i := range starts {
		a := i
		if axes != nil {
			a = axis(axes[i], x.Rank())
		}
		begin[a], end[a] = starts[i], ends[i]
		if steps != nil {
			step[a] = steps[i]
		}
		if step[a] < 0 && begin[a] < -x.Shape()[a] {
			begin[a] = 0 // where ONNX's starts end; NumPy's go one further, to nothing
		}
	}
	return one(c.do(ops.Slice(x, begin, end, step)))
}

// onnxGather takes slices at the positions of a scalar or a list.
func onnxGather(c *call) []*Value {
	x, v := c.x(0), c.value(1)
	if v == nil || len(v.shape) > 1 {
		outside("gather by more than a list")
	}
	at := axis(c.attrs.Int("axis", 0), x.Rank())
	var parts []*ops.Tensor
	for _, i := range v.integers() {
		i = axis(i, x.Shape()[at])
		parts = append(parts, c.cut(x, at, i, i+1))
	}
	y := c.do(ops.Concat(at, parts...))
	if len(v.shape) == 0 {
		y = c.reshape(y, slices.Delete(y.Shape(), at, at+1)...)
	}
	return one(y)
}

func gatherIntegers(c *call) []*Value {
	list, v := c.in[0], c.value(1)
	if v == nil || len(list.shape) != 1 {
		outside("gather of integers with several axes")
	}
	var out []int64
	for _, i := range v.integers() {
		out = append(out, list.i[axis(i, len(list.i))])
	}
	return []*Value{Integers(out, v.shape...)}
}

func onnxShape(c *call) []*Value {
	if c.value(0) == nil {
		fail("Shape takes an input")
	}
	shape := c.in[0].shape
	bound := func(name string, def int) int {
		v := c.attrs.Int(name, def)
		if v < 0 {
			v += len(shape)
		}
		return min(max(v, 0), len(shape))
	}
	var out []int64
	for i := bound("start", 0); i < bound("end", len(shape)); i++ {
		out = append(out, int64(shape[i]))
	}
	return []*Value{Integers(out, len(out))}
}

func onnxConstant(c *call) []*Value {
	switch {
	case c.attrs.Has("value"):
		return []*Value{c.attrs.Tensor("value").Value()}
	case c.attrs.Has("value_float"):
		return []*Value{Host([]float32{c.attrs.F32("value_float", 0)})}
	case c.attrs.Has("value_floats"):
		v := c.attrs.Floats("value_floats")
		return []*Value{Host(v, len(v))}
	case c.attrs.Has("value_int"):
		return []*Value{Integers([]int64{int64(c.attrs.Int("value_int", 0))})}
	case c.attrs.Has("value_ints"):
		var v []int64
		for _, i := range c.attrs.Ints("value_ints") {
			v = append(v, int64(i))
		}
		return []*Value{Integers(v, len(v))}
	}
	outside("constants other than numbers")
	return nil
}

func onnxConstantOfShape(c *call) []*Value {
	t := &Tensor{Shape: c.ints(0, ""), DType: "float32", F: []float32{0}}
	if v := c.attrs.Tensor("value"); v != nil {
		t.DType, t.F, t.I = v.DType, v.F, v.I
	}
	t.repeat(spec.Count(t.Shape))
	return []*Value{t.Value()}
}

// onnxCast goes between float32 (1) and the integers (6, 7).
func onnxCast(c *call) []*Value {
	v := c.value(0)
	if v == nil {
		fail("Cast takes an input")
	}
	f, err := v.Floats()
	if err != nil {
		panic(wrong{err})
	}
	switch c.attrs.Int("to", 0) {
	case 1:
		return []*Value{Host(f, v.shape...)}
	case 6, 7:
		if !v.IsFloat() {
			return []*Value{v}
		}
		out := make([]int64, len(f))
		for i, x := range f {
			out[i] = int64(x)
		}
		return []*Value{Integers(out, v.shape...)}
	}
	outside("cast to type %d", c.attrs.Int("to", 0))
	return nil
}

// onnxExpand broadcasts both ways: where the shape has 1, x may be longer.
func onnxExpand(c *call) []*Value { return one(c.expand(c.x(0), c.ints(1, "shape")...)) }

func onnxTile(c *call) []*Value {
	y := c.x(0)
	for a, n := range c.ints(1, "repeats") {
		if n > 1 {
			y = c.do(ops.Concat(a, slices.Repeat([]*ops.Tensor{y}, n)...))
		}
	}
	return one(y)
}

// padModes are the modes of padding by the names of ONNX and of WebNN.
var padModes = map[string]spec.PadMode{
	"constant": spec.PadZeros, "reflect": spec.PadReflect, "edge": spec.PadReplicate, "wrap": spec.PadCircular,
	"reflection": spec.PadReflect,
}

func padMode(name string) spec.PadMode {
	m, ok := padModes[name]
	if !ok {
		outside("padding mode %q", name)
	}
	return m
}

// onnxPad has its pads as an attribute before opset 11 (called paddings in 1),
// as inputs since; negative ones crop.
func onnxPad(c *call) []*Value {
	x := c.x(0)
	pads := c.ints(1, "pads")
	if pads == nil {
		pads = c.attrs.Ints("paddings")
	}
	p := ops.PadParams{Begin: make([]int, x.Rank()), End: make([]int, x.Rank()), Mode: padMode(c.attrs.String("mode", "constant"))}
	if p.Mode == spec.PadZeros {
		p.Value = c.scalar(2, c.attrs.F32("value", 0))
	}
	axes := c.ints(3, "axes")
	if axes == nil {
		axes = identityPerm(x.Rank())
	}
	if len(pads) != 2*len(axes) {
		fail("pads %v for %d axes", pads, len(axes))
	}
	for i, a := range axes {
		a = axis(a, x.Rank())
		p.Begin[a], p.End[a] = pads[i], pads[i+len(axes)]
	}
	return one(c.do(ops.Pad(x, p)))
}

// extend adds zeros at the end of each axis, up to a shape.
func (c *call) extend(t *ops.Tensor, shape []int) *ops.Tensor {
	end := make([]int, len(shape))
	for i, s := range t.Shape() {
		end[i] = shape[i] - s
	}
	return c.do(ops.Pad(t, ops.PadParams{Begin: make([]int, len(shape)), End: end}))
}

// onnxDepthToSpace moves blocks of channels into space; DCR is depth first.
func onnxDepthToSpace(c *call) []*Value {
	x, b := c.x(0), c.attrs.Int("blocksize", 1)
	s := x.Shape()
	split, perm := []int{s[0], b, b, s[1] / (b * b), s[2], s[3]}, []int{0, 3, 4, 1, 5, 2}
	if c.attrs.String("mode", "DCR") == "CRD" {
		split, perm = []int{s[0], s[1] / (b * b), b, b, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3}
	}
	return one(c.reshape(c.transpose(c.reshape(x, split...), perm...), s[0], s[1]/(b*b), s[2]*b, s[3]*b))
}

func onnxSpaceToDepth(c *call) []*Value {
	x, b := c.x(0), c.attrs.Int("blocksize", 1)
	s := x.Shape()
	y := c.transpose(c.reshape(x, s[0], s[1], s[2]/b, b, s[3]/b, b), 0, 3, 5, 1, 2, 4)
	return one(c.reshape(y, s[0], s[1]*b*b, s[2]/b, s[3]/b))
}

// onnxImageScaler and onnxCrop were experimental in ONNX 1.0 to 1.4:
// x*scale + bias of each channel, and a border of left, top, right, bottom.
func onnxImageScaler(c *call) []*Value {
	x, bias := c.x(0), c.attrs.Floats("bias")
	b := c.do(c.eng.Tensor(bias, len(bias), 1, 1))
	return one(c.do(ops.Add(c.activate(x, act(spec.Affine, c.attrs.F32("scale", 1), 0)), b)))
}

func onnxCrop(c *call) []*Value {
	x, b := c.x(0), c.attrs.Ints("border")
	if len(b) != 4 {
		fail("border %v", b)
	}
	return one(c.do(ops.Pad(x, ops.PadParams{Begin: []int{0, 0, -b[1], -b[0]}, End: []int{0, 0, -b[3], -b[2]}})))
}
