// Squeezenet says what a photo shows, with SqueezeNet 1.0 (Iandola et al., 2016)
// on the GPU, or without one:
//
//	go run ./examples/squeezenet -weights DIR -photo FILE [-labels FILE] [-adapter NAME]
//
// DIR holds the trained weights as NumPy arrays: LAYER_kernel.npy, stored
// [out, height, width, in], and LAYER_Conv2D_bias.npy for each convolution.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kansu-dev/kansu/ops"
)

func main() {
	log.SetFlags(0)
	weights := flag.String("weights", "", "folder of the weights")
	photo := flag.String("photo", "", "a JPEG or PNG file")
	labels := flag.String("labels", "", "file with the name of each class in a line")
	adapter := flag.String("adapter", "", "a part of the GPU's name; cpu for pure Go (default: the best there is)")
	flag.Parse()
	if err := run(*weights, *photo, *labels, *adapter); err != nil {
		log.Fatal(err)
	}
}

func run(weights, photo, labels, adapter string) error {
	eng, err := ops.Open(ops.WithAdapter(adapter))
	if err != nil {
		return err
	}
	defer eng.Close()
	net, err := Load(eng, weights)
	if err != nil {
		return err
	}
	pixels, err := Photo(photo)
	if err != nil {
		return err
	}
	var p []float32
	var took time.Duration
	for range 2 { // the first run compiles the kernels
		start := time.Now()
		if p, err = net.Classify(pixels); err != nil {
			return err
		}
		took = time.Since(start)
	}
	names, err := readLabels(labels, len(p))
	if err != nil {
		return err
	}
	for _, i := range Top(p, 5) {
		fmt.Printf("%5.1f%%  %s\n", 100*p[i], names[i])
	}
	fmt.Printf("%.1f ms on %v\n", took.Seconds()*1e3, eng.Device())
	return nil
}

// Top returns the classes of the n largest probabilities, the largest first.
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

// readLabels returns the names of n classes, by default their numbers.
func readLabels(path string, n int) ([]string, error) {
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
