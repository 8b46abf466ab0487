package shaders

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

// source turns a fuzzer's bytes into shapes and parameters: mostly small ones
// that fit together, some from the edges of what an int can be.
type source struct {
	data []byte
	i    int
}

func (s *source) next() int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[s.i%len(s.data)]
	s.i++
	return int(b)
}

var edges = []int{0, -1, 1 << 15, 1<<15 + 1, 65535, 65536, 1 << 24, math.MaxInt32, math.MaxInt32 + 1, 1 << 40, math.MaxInt64, math.MinInt64}

// rarely is true about once in 64 times.
func (s *source) rarely() bool { return s.next()%64 == 63 }

// number returns low or a little more; rarely, one from the edges.
func (s *source) number(low, more int) int {
	if s.rarely() {
		return edges[s.next()%len(edges)]
	}
	return low + s.next()%(more+1)
}

func (s *source) bool() bool { return s.next()%2 == 1 }

// list returns a number for each of rank axes, or one for all, or none; rarely,
// a list of another length.
func (s *source) list(rank, low, more int) []int {
	n := []int{0, 1, rank, rank}[s.next()%4]
	if s.rarely() {
		n = s.next() % 8
	}
	var v []int
	for range n {
		v = append(v, s.number(low, more))
	}
	return v
}

// shape returns least to most sizes.
func (s *source) shape(least, most int) []int {
	v := make([]int, least+s.next()%(most-least+1))
	for i := range v {
		v[i] = s.number(1, 5)
		if s.next()%8 == 0 {
			v[i] = s.number(1, 400)
		}
	}
	return v
}

func (s *source) float() float32 {
	b := s.next()
	if !s.rarely() {
		return float32(b%32)/8 - 1
	}
	return []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e38, 1e-45, -1e-30}[b%6]
}

func (s *source) activation() spec.Activation {
	if s.bool() {
		return spec.Activation{}
	}
	f := spec.Pointwises()[s.next()%len(spec.Pointwises())]
	if s.rarely() {
		return spec.Activation{Func: spec.Pointwise(s.next()), A: s.float(), B: s.float()}
	}
	return f.Default()
}

var fuzzDevices = []Device{
	Baseline,
	{Name: "software", CPU: true, MaxBindingBytes: 128 << 20, MaxGroups: 65535, MaxInvocations: 1024, WorkgroupBytes: 32768, MaxStorageBuffers: 32, MaxLoop: SoftwareLoops},
	{Name: "large", MaxBindingBytes: math.MaxInt32 * 4, MaxGroups: 65535, MaxInvocations: 1024, WorkgroupBytes: 49152, MaxStorageBuffers: 16},
}

// refused requires an error to be one that names what is wrong with a call.
func refused(t *testing.T, err error) {
	t.Helper()
	require.True(t, errors.Is(err, spec.ErrShape) || errors.Is(err, spec.ErrParam) || errors.Is(err, spec.ErrTooLarge), "%v", err)
	require.NotEmpty(t, err.Error())
}

// planned requires what a device can run: grids within its limits, parameters
// that fill the uniform struct, operands that there are.
func planned(t *testing.T, out []int, inputs, outputs int, plan func(dev Device) (Plan, error)) {
	t.Helper()
	_, err := spec.Elements(out)
	require.NoError(t, err, "the result's shape")
	for _, dev := range fuzzDevices {
		p, err := plan(dev)
		if err != nil {
			require.True(t, errors.Is(err, spec.ErrUnsupported) || errors.Is(err, spec.ErrTooLarge), "%s: %v", dev.Name, err)
			continue
		}
		require.NotEmpty(t, p.String())
		for _, n := range p.Temps {
			require.Positive(t, n, "%s: a temporary", dev.Name)
		}
		for _, s := range p.Steps {
			for _, g := range s.Groups {
				require.Positive(t, g, "%s: %v", dev.Name, &p)
				require.LessOrEqual(t, g, dev.MaxGroups, "%s: %v", dev.Name, &p)
			}
			require.Len(t, s.Params, s.Kernel.ParamBytes, "%s: parameters of %s", dev.Name, s.Kernel.Name)
			require.LessOrEqual(t, len(s.Params), 256, s.Kernel.Name)
			require.Len(t, s.Operands, len(s.Kernel.Writes), "%s: operands of %s", dev.Name, s.Kernel.Name)
			require.LessOrEqual(t, len(s.Operands), 8, s.Kernel.Name)
			for _, o := range s.Operands {
				switch {
				case o.IsIn():
					require.Less(t, o.Index, inputs, s.Kernel.Name)
				case o.IsOut():
					require.Less(t, o.Index, outputs, s.Kernel.Name)
				default:
					require.Less(t, o.Index, len(p.Temps), s.Kernel.Name)
				}
			}
		}
	}
}

func seedCorpus(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte("the quick brown fox jumps over the lazy dog"))
	f.Add([]byte{255, 0, 254, 1, 253, 2, 240, 3, 233, 4})
	f.Add([]byte{})
}

// FuzzConvParams: convolutions and transposed convolutions of any parameters are
// refused with an error, or planned within every device's limits.
func FuzzConvParams(f *testing.F) {
	seedCorpus(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &source{data: data}
		transposed := s.bool()
		x := s.shape(3, 5)
		if s.rarely() {
			x = s.shape(0, 7)
		}
		rank := len(x) - 2
		w := make([]int, len(x))
		for i := range w {
			w[i] = s.number(1, 4)
		}
		groups := s.number(1, 3)
		bias := []int{1}
		if rank > 0 && groups > 0 && groups < 8 && !s.rarely() { // channels that fit
			c, k := s.number(1, 5), s.number(1, 5)
			x[1], bias = c*groups, []int{k * groups}
			if w[0], w[1] = k*groups, c; transposed {
				w[0], w[1] = c*groups, k
			}
		}
		if s.bool() {
			bias = nil
		}
		auto := spec.Explicit
		pad := s.list(rank, 0, 2)
		if s.next()%4 == 0 {
			auto, pad = spec.AutoPad(s.number(0, 2)), nil
		} else if s.next()%4 == 0 {
			pad = s.list(2*rank, 0, 2)
		}
		stride, dilation, act := s.list(rank, 1, 2), s.list(rank, 1, 1), s.activation()
		if transposed {
			p := spec.ConvTransposeParams{Stride: stride, Dilation: dilation, Padding: pad, AutoPad: auto, Groups: groups, Act: act}
			if s.next()%4 == 0 {
				p.OutputPadding = s.list(rank, 0, 1)
			} else if s.next()%4 == 0 {
				p.OutputSize = s.list(rank, 1, 12)
			}
			g, err := spec.NewConvTranspose(x, w, bias, p)
			if err != nil {
				refused(t, err)
				return
			}
			planned(t, g.OutShape(), 3, 1, func(dev Device) (Plan, error) { return PlanConvTranspose(g, dev, "") })
			return
		}
		g, err := spec.NewConv(x, w, bias, spec.ConvParams{
			Stride: stride, Dilation: dilation, Padding: pad, AutoPad: auto,
			PadMode: spec.PadMode(s.number(0, 3)), Groups: groups, Act: act,
		})
		if err != nil {
			refused(t, err)
			return
		}
		planned(t, g.OutShape(), 3, 1, func(dev Device) (Plan, error) { return PlanConv(g, dev, "") })
	})
}

// FuzzPoolParams: likewise for pooling and unpooling.
func FuzzPoolParams(f *testing.F) {
	seedCorpus(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &source{data: data}
		form, kind, x := s.next()%5, spec.PoolKind(s.number(0, 2)), s.shape(3, 5)
		if s.rarely() {
			x = s.shape(0, 7)
		}
		rank := len(x) - 2
		for i := 2; i < len(x) && s.next()%4 != 0; i++ {
			x[i] = s.number(4, 20)
		}
		var g spec.Pool
		var err error
		switch form {
		case 0:
			g, err = spec.NewAdaptivePool(kind, x, s.list(rank, 1, 9))
		case 1:
			g, err = spec.NewGlobalPool(kind, x, s.float()+2)
		case 2:
			u, err := spec.NewUnpool(x, x, spec.UnpoolParams{Kernel: s.list(rank, 1, 4), Stride: s.list(rank, 1, 3), Padding: s.list(rank, 0, 1), OutSize: s.list(0, 1, 9)})
			if err != nil {
				refused(t, err)
				return
			}
			planned(t, u.OutShape(), 2, 1, func(dev Device) (Plan, error) { return PlanUnpool(u, dev, "") })
			return
		default:
			p := spec.PoolParams{
				Kernel: s.list(rank, 2, 2), Stride: s.list(rank, 1, 2), Dilation: s.list(rank, 1, 1), Padding: s.list(rank, 0, 1),
				Ceil: s.bool(), ExcludePad: s.bool(), Divisor: s.number(0, 3), PlainNorm: s.bool(),
			}
			if s.next()%8 == 0 {
				p.AutoPad, p.Padding = spec.AutoPad(s.number(0, 2)), nil
			}
			if s.next()%8 == 0 {
				p.OutSize = s.list(rank, 1, 9)
			}
			g, err = spec.NewPool(kind, x, float32(s.number(1, 3)), p)
		}
		if err != nil {
			refused(t, err)
			return
		}
		indices := kind == spec.PoolMax && s.bool()
		planned(t, g.OutShape(), 1, 2, func(dev Device) (Plan, error) { return PlanPool(g, indices, dev, "") })
	})
}

// FuzzNormParams: likewise for the normalizations and what goes with them.
func FuzzNormParams(f *testing.F) {
	seedCorpus(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &source{data: data}
		form, x := s.next()%9, s.shape(2, 6)
		if s.rarely() {
			x = s.shape(0, 9)
		}
		axis, act, eps := 0, s.activation(), s.float()
		if s.next()%4 == 0 || form > 6 {
			axis = s.number(-2, 3)
		}
		var affine []int
		if a := axis; s.bool() {
			if a == 0 {
				a = 1
			}
			if a < 0 {
				a += len(x)
			}
			if affine = []int{3}; a >= 0 && a < len(x) {
				affine[0] = x[a]
			}
			if s.rarely() {
				affine = s.shape(1, 2)
			}
		}
		plan := func(out []int, err error, inputs, outputs int, f func(dev Device) (Plan, error)) {
			if err != nil {
				refused(t, err)
				return
			}
			planned(t, out, inputs, outputs, f)
		}
		switch form {
		case 0:
			g, err := spec.NewBatchNorm(x, affine, affine, affine, nil, spec.BatchNormParams{Eps: eps, Axis: axis, Act: act})
			plan(g.OutShape(), err, 5, 1, func(dev Device) (Plan, error) { return PlanBatchNorm(g, dev, "") })
		case 1:
			g, err := spec.NewBatchNormTrain(x, affine, nil, affine, affine, spec.BatchNormTrainParams{Eps: eps, Axis: axis, Act: act, Momentum: s.float() / 4, Count: s.number(0, 0), Biased: s.bool()})
			plan(g.OutShape(), err, 5, 6, func(dev Device) (Plan, error) { return PlanBatchNormTrain(g, dev, "") })
		case 2:
			p := spec.LayerNormParams{Axes: s.list(2, 0, 2), Eps: eps, Act: act}
			if affine = nil; s.bool() {
				p.Axes = nil
				if n := 1 + s.next()%2; n <= len(x) {
					p.Shape, affine = x[len(x)-n:], x[len(x)-n:]
				}
			}
			g, err := spec.NewLayerNorm(x, affine, affine, p)
			stats := s.bool()
			plan(g.OutShape(), err, 3, 3, func(dev Device) (Plan, error) { return PlanLayerNorm(g, stats, dev, "") })
		case 3:
			g, err := spec.NewRMSNorm(x, nil, nil, spec.LayerNormParams{Axes: s.list(2, 0, 2), Eps: eps, Act: act})
			plan(g.OutShape(), err, 3, 1, func(dev Device) (Plan, error) { return PlanRMSNorm(g, dev, "") })
		case 4:
			g, err := spec.NewGroupNorm(x, affine, affine, spec.GroupNormParams{Groups: s.number(0, 3), Eps: eps, Axis: axis, Act: act})
			plan(g.OutShape(), err, 3, 1, func(dev Device) (Plan, error) { return PlanGroupNorm(g, dev, "") })
		case 5:
			g, err := spec.NewInstanceNorm(x, affine, nil, spec.InstanceNormParams{Eps: eps, Axis: axis, Act: act})
			plan(g.OutShape(), err, 3, 1, func(dev Device) (Plan, error) { return PlanInstanceNorm(g, dev, "") })
		case 6:
			g, err := spec.NewLRN(x, spec.LRNParams{Size: s.number(1, 6), Alpha: s.float(), Beta: s.float(), K: s.float(), Axis: axis, Act: act, EvenBefore: s.bool()})
			plan(g.OutShape(), err, 1, 1, func(dev Device) (Plan, error) { return PlanLRN(g, dev, "") })
		case 7:
			g, err := spec.NewLpNormalize(x, axis, spec.LpNormalizeParams{P: s.float() + 1, Eps: eps, Act: act})
			plan(g.OutShape(), err, 1, 1, func(dev Device) (Plan, error) { return PlanLpNormalize(g, dev, "") })
		case 8:
			g, err := spec.NewSoftmax(x, axis, spec.SoftmaxKind(s.number(0, 2)))
			plan(g.OutShape(), err, 1, 1, func(dev Device) (Plan, error) { return PlanSoftmax(g, dev, "") })
		}
	})
}

// FuzzShapes: likewise for what joins functions in a network.
func FuzzShapes(f *testing.F) {
	seedCorpus(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &source{data: data}
		form, x := s.next()%12, s.shape(1, 6)
		if s.rarely() {
			x = s.shape(0, 9)
		}
		y := s.shape(0, 5)
		if s.next()%4 != 0 && len(x) > 0 { // a shape that may go with x
			y = append([]int{}, x[s.next()%len(x):]...)
			for i := range y {
				if s.next()%4 == 0 {
					y[i] = 1
				}
			}
		}
		plan := func(out []int, err error, f func(dev Device) (Plan, error)) {
			if err != nil {
				refused(t, err)
				return
			}
			planned(t, out, 3, 1, f)
		}
		switch form {
		case 0:
			g, err := spec.NewBinary(spec.BinaryFunc(s.number(0, 7)), x, y)
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanBinary(g, dev, "") })
		case 1:
			g, err := spec.NewPReLU(x, y)
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanBinary(g, dev, "") })
		case 2:
			g, err := spec.NewConcat(s.number(-2, 3), x, x, x)
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanConcat(g, dev, "") })
		case 3:
			perm := make([]int, len(x))
			for i := range perm {
				perm[i] = (i*(1+s.next()%2) + s.next()%2) % len(x)
			}
			g, err := spec.NewTranspose(x, perm)
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanGather(g, dev, "") })
		case 4:
			g, err := spec.NewSlice(x, s.list(2, -1, 1), s.list(2, 1, 3), s.list(1, -1, 3))
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanGather(g, dev, "") })
		case 5:
			p := spec.PadParams{Begin: s.list(1, -1, 3), End: s.list(1, -1, 3), Mode: spec.PadMode(s.number(0, 3))}
			if p.Mode == spec.PadZeros || s.rarely() {
				p.Value = s.float()
			}
			g, err := spec.NewPad(x, p)
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanPad(g, dev, "") })
		case 6:
			p := spec.UpsampleParams{Mode: spec.UpsampleMode(s.number(0, 2))}
			p.AlignCorners = p.Mode == spec.Linear && s.bool()
			if s.bool() {
				p.Size = s.list(len(x)-2, 1, 9)
			} else {
				p.Scale = []float64{float64(s.float()) + 1.1}
			}
			g, err := spec.NewUpsample(x, p)
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanUpsample(g, dev, "") })
		case 7:
			g, err := spec.NewReduce(spec.ReduceFunc(s.number(0, 4)), x, spec.ReduceParams{Axes: s.list(1, -2, 3), Keep: s.bool()})
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanReduce(g, dev, "") })
		case 8:
			if n := len(y); n > 0 && len(x) > 0 && s.next()%8 != 0 { // inner sizes that agree
				y[max(n-2, 0)] = x[len(x)-1]
			}
			g, err := spec.NewMatMul(x, y, spec.MatMulParams{TransA: s.rarely(), TransB: s.rarely(), Act: s.activation()})
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanGemm(g, dev, "") })
		case 9:
			alpha, beta := s.float(), s.float()
			a, b := s.shape(2, 2), s.shape(2, 2)
			p := spec.GemmParams{TransA: s.bool(), TransB: s.bool(), Alpha: &alpha, Beta: &beta, Act: s.activation()}
			if b[0] = a[1]; p.TransA {
				b[0] = a[0]
			}
			if p.TransB {
				b[0], b[1] = b[1], b[0]
			}
			g, err := spec.NewGemm(a, b, s.list(1, 1, 0), p)
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanGemm(g, dev, "") })
		case 10:
			w := s.shape(2, 2)
			if len(x) > 0 {
				w[1] = x[len(x)-1]
			}
			g, err := spec.NewLinear(x, w, nil, spec.LinearParams{Act: s.activation()})
			plan(g.OutShape(), err, func(dev Device) (Plan, error) { return PlanGemm(g, dev, "") })
		case 11:
			if out, err := spec.Reshape(x, s.list(3, -1, 6)); err == nil {
				_, err = spec.Elements(out)
				require.NoError(t, err)
			} else if _, bad := spec.Elements(x); bad == nil {
				refused(t, err)
			}
			if _, bad := spec.Elements(x); bad == nil {
				_, err := spec.Flatten(x, s.next()%10-5, s.next()%10-5)
				if err != nil {
					refused(t, err)
				}
			}
		}
	})
}
