// Package files reads what a classifier of photos needs: weights, a photo and the
// names of the classes.
package files

import (
	"fmt"
	"image"
	_ "image/jpeg" // photos
	_ "image/png"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"github.com/kansu-dev/kansu/ops"
)

// Must returns v, or ends the program with the error.
func Must[T any](v T, err error) T {
	if err != nil {
		log.SetFlags(0)
		log.Fatal(err)
	}
	return v
}

// Weights puts every NAME.npy of a folder on a device, kernels of convolutions
// from [out, height, width, in] to [out, in, height, width].
func Weights(eng *ops.Engine, dir string) (map[string]*ops.Tensor, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.npy"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no .npy files in %q", dir)
	}
	weights := map[string]*ops.Tensor{}
	for _, file := range files {
		data, shape, err := NPY(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		t, err := eng.Tensor(data, shape...)
		if err == nil && len(shape) == 4 {
			t, err = ops.Transpose(t, 0, 3, 1, 2)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		weights[strings.TrimSuffix(filepath.Base(file), ".npy")] = t
	}
	return weights, nil
}

// Photo reads a picture, stretches it to n by n pixels, and returns red, green
// and blue planes of values from -1 to 1.
func Photo(path string, n int) ([]float32, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	img := image.NewRGBA(image.Rect(0, 0, n, n))
	draw.ApproxBiLinear.Scale(img, img.Bounds(), src, src.Bounds(), draw.Src, nil)
	x := make([]float32, 3*n*n)
	for i := range x {
		c, at := i/(n*n), i%(n*n)
		x[i] = (float32(img.Pix[4*at+c]) - 127.5) / 127.5
	}
	return x, nil
}

// Labels returns the names of n classes, one in a line of a file. Without a file
// they are numbers.
func Labels(path string, n int) ([]string, error) {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("class %d", i)
	}
	if path == "" {
		return names, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	copy(names, strings.Split(string(raw), "\n"))
	return names, nil
}

// Top returns the indices of the n largest values, the largest first.
func Top(p []float32, n int) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if p[a] > p[b] {
			return -1
		}
		return 1
	})
	return order[:n]
}
