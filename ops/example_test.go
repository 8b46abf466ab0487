package ops_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// Examples are computed in pure Go, as anywhere; ops.Open() without options takes
// the best device there is.
func Example() {
	eng, err := ops.Open(ops.WithAdapter("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	x, err := eng.Tensor([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 1, 3, 3) // [batch, channels, height, width]
	if err != nil {
		log.Fatal(err)
	}
	w, err := eng.Tensor([]float32{0, 1, 0, 1, -4, 1, 0, 1, 0}, 1, 1, 3, 3)
	if err != nil {
		log.Fatal(err)
	}
	y, err := ops.Conv(x, w, nil, ops.ConvParams{Padding: []int{1}})
	if err != nil {
		log.Fatal(err)
	}
	out, err := y.Data() // waits for the device and copies back
	fmt.Println(out, err)
	// Output: [2 1 -4 -3 0 -7 -16 -11 -22] <nil>
}

// A mistake is an error that says what was wrong and can be told from others.
func ExampleConv_error() {
	eng, err := ops.Open(ops.WithAdapter("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	x, _ := eng.Tensor(make([]float32, 3*8*8), 1, 3, 8, 8)
	w, _ := eng.Tensor(make([]float32, 4*2*3*3), 4, 2, 3, 3)
	_, err = ops.Conv(x, w, nil, ops.ConvParams{})
	fmt.Println(errors.Is(err, ops.ErrShape))
	fmt.Println(err)
	// Output:
	// true
	// ops.Conv: weight is [4 2 3 3]: 2 input channels per group, but the input has 3 in 1 group(s)
}

// Any pointwise function, with its parameters.
func ExamplePointwise() {
	eng, err := ops.Open(ops.WithAdapter("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	x, _ := eng.Tensor([]float32{-2, -0.5, 0, 0.5, 2}, 5)
	y, err := ops.Pointwise(x, ops.Activation{Func: spec.HardTanh, A: -1, B: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Data())
	// Output: [-1 -0.5 0 0.5 1] <nil>
}

// A sequence of calls that is run again and again is planned once.
func ExampleEngine_Record() {
	eng, err := ops.Open(ops.WithAdapter("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	w, _ := eng.Tensor([]float32{1, 2, 3, 4}, 2, 2)
	x, _ := eng.Tensor([]float32{1, 1}, 1, 2)
	net, err := eng.Record([]*ops.Tensor{x}, func(in []*ops.Tensor) ([]*ops.Tensor, error) {
		h, err := ops.Linear(in[0], w, nil, ops.LinearParams{})
		if err != nil {
			return nil, err
		}
		y, err := ops.Softmax(h, 1)
		return []*ops.Tensor{y}, err
	})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Release()
	for _, v := range [][]float32{{1, 0}, {-1, 0}} {
		x, _ := eng.Tensor(v, 1, 2)
		out, err := net.Run(x)
		if err != nil {
			log.Fatal(err)
		}
		p, err := out[0].Data()
		fmt.Printf("%.3f %v\n", p, err)
	}
	// Output:
	// [0.119 0.881] <nil>
	// [0.881 0.119] <nil>
}
