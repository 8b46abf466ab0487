package autograd_test

import (
	"fmt"
	"log"

	"github.com/kansu-dev/kansu/autograd"
	"github.com/kansu-dev/kansu/ops"
)

func Example() {
	eng, err := ops.Open(ops.WithAdapter("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	x, err := eng.Tensor([]float32{1, -2, 3}, 3)
	if err != nil {
		log.Fatal(err)
	}
	w := autograd.Param(x)
	tape := autograd.NewTape(eng)
	y := tape.Sum(tape.ReLU(tape.Mul(w, w)), ops.ReduceParams{}) // the sum of squares
	if err := tape.Backward(y); err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Grad().Data())
	// Output: [2 -4 6] <nil>
}
