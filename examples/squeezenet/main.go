// Squeezenet says what a photo shows, with SqueezeNet 1.0 (Iandola et al., 2016):
// go run ./examples/squeezenet -weights DIR -photo FILE [-labels FILE] [-device NAME]
package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/kansu-dev/kansu/examples/squeezenet/internal/files"
	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

func main() {
	given := files.Flags()
	eng := files.Must(ops.Open(ops.WithAdapter(given.Device)))
	w, pixels := files.Must(files.Weights(eng, given.Weights)), files.Must(files.Photo(given.Photo, 224))
	files.Must(classify(eng, w, pixels)) // the first run compiles the kernels
	start := time.Now()
	p := files.Must(classify(eng, w, pixels))
	fmt.Printf("%.1f ms on %v\n", time.Since(start).Seconds()*1e3, eng.Device())
	names := files.Must(files.Labels(given.Labels, len(p)))
	for _, i := range files.Top(p, 5) {
		fmt.Printf("%5.1f%%  %s\n", 100*p[i], names[i])
	}
}

// classify returns the probability of each class for the values of 3x224x224 pixels.
func classify(eng *ops.Engine, w map[string]*ops.Tensor, pixels []float32) ([]float32, error) {
	var failed error
	ok := func(x *ops.Tensor, err error) *ops.Tensor { // keeps the first error; what follows it does nothing
		failed = cmp.Or(failed, err)
		return x
	}
	conv := func(x *ops.Tensor, layer string, p ops.ConvParams) *ops.Tensor {
		p.Act.Func = spec.ReLU
		return ok(ops.Conv(x, w[layer+"_kernel"], w[layer+"_Conv2D_bias"], p))
	}
	x := conv(ok(eng.Tensor(pixels, 1, 3, 224, 224)), "conv1", ops.ConvParams{Stride: []int{2}, AutoPad: spec.SameUpper})
	for i := 2; i <= 9; i++ {
		if i == 2 || i == 5 || i == 9 {
			x = ok(ops.MaxPool(x, ops.PoolParams{Kernel: []int{3}, Stride: []int{2}}))
		}
		fire := fmt.Sprintf("fire%d_", i) // squeezes the channels, then expands them in two ways
		s := conv(x, fire+"squeeze", ops.ConvParams{})
		x = ok(ops.Concat(1, conv(s, fire+"e1x1", ops.ConvParams{}), conv(s, fire+"e3x3", ops.ConvParams{Padding: []int{1}})))
	}
	x = ok(ops.Softmax(ok(ops.GlobalAvgPool(conv(x, "conv10", ops.ConvParams{}))), 1))
	if failed != nil {
		return nil, failed
	}
	return x.Data()
}
