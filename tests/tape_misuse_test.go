package tests

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// anything draws arguments of all kinds for calls that are wrong more often than
// not: tensors of odd shapes, released ones, none, numbers beyond every range.
type anything struct {
	*rand.Rand
	tensors []*ops.Tensor
}

func (a *anything) int() int {
	if a.IntN(6) > 0 {
		return 1 + a.IntN(4)
	}
	odd := []int{0, -1, -7, 1 << 20, 1 << 31, 1 << 40, 1 << 62, math.MaxInt, math.MinInt}
	return odd[a.IntN(len(odd))]
}

func (a *anything) float() float64 {
	if a.IntN(4) > 0 {
		return a.Float64()
	}
	odd := []float64{0, 1, -1, 2, 1e-30, 1e30, math.NaN(), math.Inf(1), math.Inf(-1)}
	return odd[a.IntN(len(odd))]
}

func (a *anything) fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		tensor := a.tensors[a.IntN(len(a.tensors))]
		switch v.Interface().(type) {
		case *ops.Tensor:
			v.Set(reflect.ValueOf(tensor))
		case *autograd.Variable:
			if a.IntN(12) > 0 {
				v.Set(reflect.ValueOf(autograd.Param(tensor)))
			}
		default:
			if a.IntN(2) == 0 {
				v.Set(reflect.New(v.Type().Elem()))
				a.fill(v.Elem())
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && a.IntN(2) == 0 {
				a.fill(v.Field(i))
			}
		}
	case reflect.Slice:
		n := a.IntN(5)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			a.fill(v.Index(i))
		}
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(a.int()))
	case reflect.Uint8:
		v.SetUint(uint64(a.IntN(8)))
	case reflect.Uint64:
		v.SetUint(a.Uint64())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(a.float())
	case reflect.Bool:
		v.SetBool(a.IntN(2) == 0)
	}
}

// kinds are the errors by which a program can tell what went wrong.
var kinds = []error{
	ops.ErrShape, ops.ErrParam, ops.ErrTooLarge, ops.ErrUnsupported, ops.ErrReleased, ops.ErrEngine, ops.ErrNil, ops.ErrType,
	ops.ErrOutOfMemory, autograd.ErrSpent, autograd.ErrChanged, autograd.ErrTape, autograd.ErrNoGrad,
}

// TestTapeTakesAnything calls the functions of a tape, forward and backward, with
// arguments drawn at random: none panics, and each error is of a known kind.
func TestTapeTakesAnything(t *testing.T) {
	onEach(t, func(t *testing.T, e *ops.Engine) {
		a := &anything{Rand: rand.New(rand.NewPCG(7, 7)), tensors: []*ops.Tensor{nil}}
		for _, shape := range [][]int{{}, {1}, {3}, {2, 3}, {3, 4}, {2, 3, 4}, {2, 4, 5, 5}, {4, 2, 3, 3}, {4, 4, 1, 1}, {2, 2, 3, 3, 3}, {1, 1, 1, 1, 1, 1, 1, 2}} {
			x, err := e.Tensor(make([]float32, spec.Count(shape)), shape...)
			require.NoError(t, err)
			a.tensors = append(a.tensors, x, x)
		}
		indices, err := e.Indices([]int32{0, 1}, 2)
		require.NoError(t, err)
		released, err := e.Tensor([]float32{1}, 1)
		require.NoError(t, err)
		released.Release()
		a.tensors = append(a.tensors, indices, released)
		tape := reflect.TypeFor[*autograd.Tape]()
		for range 6000 {
			m := tape.Method(a.IntN(tape.NumMethod()))
			if m.Name == "NoGrad" || m.Type.NumOut() == 0 || m.Type.Out(0) != reflect.TypeFor[*autograd.Variable]() {
				continue
			}
			on := autograd.NewTape(e)
			args := []reflect.Value{reflect.ValueOf(on)}
			for i := 1; i < m.Type.NumIn(); i++ {
				v := reflect.New(m.Type.In(i)).Elem()
				a.fill(v)
				if s, ok := v.Interface().(ops.PadParams); ok && len(s.Begin)+len(s.End) > 0 {
					v.SetZero() // a large one takes its time, and no more
				}
				args = append(args, v)
			}
			call := m.Func.Call
			if m.Type.IsVariadic() {
				call = m.Func.CallSlice
			}
			y, _ := call(args)[0].Interface().(*autograd.Variable)
			err := on.Err()
			if err == nil && (y == nil || y.Value() == nil || y.Value().Len() < 1<<20) {
				err = on.BackwardFrom(y, y.Value())
			}
			on.Release()
			known := err == nil
			for _, k := range kinds {
				known = known || errors.Is(err, k)
			}
			require.True(t, known, "%s: %v", m.Name, err)
			for _, arg := range args[1:] {
				if v, ok := arg.Interface().(*autograd.Variable); ok {
					v.ZeroGrad()
				}
			}
		}
	})
}
