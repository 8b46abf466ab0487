package optim_test

import (
	"fmt"
	"log"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/optim"
)

// A line through points: y = 2x + 1.
func Example() {
	eng, err := ops.Open(ops.WithAdapter("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	tensor := func(data []float32, shape ...int) *ops.Tensor {
		t, err := eng.Tensor(data, shape...)
		if err != nil {
			log.Fatal(err)
		}
		return t
	}
	x, y := tensor([]float32{-1, 0, 1, 2}, 4, 1), tensor([]float32{-1, 1, 3, 5}, 4, 1)
	w, b := autograd.Param(tensor([]float32{0}, 1, 1)), autograd.Param(tensor([]float32{0}, 1))
	adam, err := optim.NewAdam([]*autograd.Variable{w, b}, ops.AdamParams{LR: 0.1})
	if err != nil {
		log.Fatal(err)
	}
	for range 300 {
		adam.ZeroGrad()
		tape := autograd.NewTape(eng)
		loss := tape.MSELoss(tape.Linear(tape.Const(x), w, b, ops.LinearParams{}), y, ops.LossParams{})
		if err := tape.Backward(loss); err != nil { // the first error of all the calls
			log.Fatal(err)
		}
		if err := adam.Step(nil); err != nil {
			log.Fatal(err)
		}
	}
	slope, _ := w.Value().Data()
	offset, _ := b.Value().Data()
	fmt.Printf("y = %.2f x + %.2f\n", slope[0], offset[0])
	// Output: y = 2.00 x + 1.00
}

// Gradients are clipped on the device, without waiting for their norm.
func ExampleClipNorm() {
	eng, err := ops.Open(ops.WithAdapter("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	x, _ := eng.Tensor([]float32{3, 4}, 2)
	v := autograd.Param(x)
	tape := autograd.NewTape(eng)
	square := tape.Sum(tape.Mul(v, v), ops.ReduceParams{})
	if err := tape.Backward(square); err != nil { // the gradient is (6, 8)
		log.Fatal(err)
	}
	vars := []*autograd.Variable{v}
	norm, scale, err := optim.ClipNorm(vars, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(norm.Data())
	sgd, err := optim.NewSGD(vars, ops.SGDParams{LR: 1})
	if err != nil {
		log.Fatal(err)
	}
	if err := sgd.Step(scale); err != nil {
		log.Fatal(err)
	}
	out, _ := v.Value().Data()
	fmt.Printf("%.1f\n", out)
	// Output:
	// [10] <nil>
	// [2.4 3.2]
}
