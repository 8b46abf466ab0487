package main

import (
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/draw"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/spec"
)

// Net is SqueezeNet with its weights on a device.
type Net struct {
	eng     *ops.Engine
	weights map[string]*ops.Tensor
	err     error // the first one of a forward pass
}

// Load reads every .npy file of a folder.
func Load(eng *ops.Engine, dir string) (*Net, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.npy"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no .npy files in %q", dir)
	}
	n := &Net{eng: eng, weights: map[string]*ops.Tensor{}}
	for _, file := range files {
		data, shape, err := readNPY(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		t, err := eng.Tensor(data, shape...)
		if err == nil && len(shape) == 4 {
			t, err = ops.Transpose(t, 0, 3, 1, 2) // [out, h, w, in] to [out, in, h, w]
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		n.weights[strings.TrimSuffix(filepath.Base(file), ".npy")] = t
	}
	return n, nil
}

// Photo reads a picture and stretches it to the [1, 3, 224, 224] values, each
// from -1 to 1, that the network was trained on.
func Photo(path string) ([]float32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	img := image.NewRGBA(image.Rect(0, 0, 224, 224))
	draw.ApproxBiLinear.Scale(img, img.Bounds(), src, src.Bounds(), draw.Src, nil)
	x := make([]float32, 3*224*224)
	for i := range x {
		c, at := i/(224*224), i%(224*224)
		x[i] = (float32(img.Pix[4*at+c]) - 127.5) / 127.5
	}
	return x, nil
}

// Classify returns the probability of each class for the pixels of Photo.
func (n *Net) Classify(pixels []float32) ([]float32, error) {
	n.err = nil
	x := n.ok(n.eng.Tensor(pixels, 1, 3, 224, 224))
	x = n.conv(x, "conv1", ops.ConvParams{Stride: []int{2}, AutoPad: spec.SameUpper})
	for i := 2; i <= 9; i++ {
		if i == 2 || i == 5 || i == 9 {
			x = n.ok(ops.MaxPool(x, ops.PoolParams{Kernel: []int{3}, Stride: []int{2}}))
		}
		x = n.fire(x, fmt.Sprintf("fire%d", i))
	}
	x = n.conv(x, "conv10", ops.ConvParams{})
	x = n.ok(ops.GlobalAvgPool(x))
	x = n.ok(ops.Softmax(x, 1))
	if n.err != nil {
		return nil, n.err
	}
	return x.Data()
}

// fire squeezes the channels by a 1x1 convolution and expands them by a 1x1 and
// a 3x3 one.
func (n *Net) fire(x *ops.Tensor, name string) *ops.Tensor {
	s := n.conv(x, name+"_squeeze", ops.ConvParams{})
	a := n.conv(s, name+"_e1x1", ops.ConvParams{})
	b := n.conv(s, name+"_e3x3", ops.ConvParams{Padding: []int{1}})
	return n.ok(ops.Concat(1, a, b))
}

// conv is a convolution with a layer's weights, followed by ReLU.
func (n *Net) conv(x *ops.Tensor, layer string, p ops.ConvParams) *ops.Tensor {
	p.Act = ops.Activation{Func: spec.ReLU}
	return n.ok(ops.Conv(x, n.weights[layer+"_kernel"], n.weights[layer+"_Conv2D_bias"], p))
}

// ok keeps the first error. The calls after it get no tensor and do nothing.
func (n *Net) ok(t *ops.Tensor, err error) *ops.Tensor {
	if n.err == nil {
		n.err = err
	}
	return t
}
