package files

import (
	"flag"
	"fmt"
	"os"
)

// Given is what the command line says: paths, and a part of a GPU's name or cpu.
type Given struct{ Weights, Photo, Labels, Device string }

// Flags reads the command line. Without weights and a photo it shows the usage
// and ends the program.
func Flags() Given {
	var g Given
	flag.StringVar(&g.Weights, "weights", "", "folder of LAYER_kernel.npy [out, height, width, in] and LAYER_Conv2D_bias.npy")
	flag.StringVar(&g.Photo, "photo", "", "a JPEG or PNG file")
	flag.StringVar(&g.Labels, "labels", "", "file with the name of each class in a line")
	flag.StringVar(&g.Device, "device", "", "a part of the GPU's name; cpu for pure Go (default: the best there is)")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "squeezenet says what a photo shows.\n\n  go run ./examples/squeezenet -weights DIR -photo FILE\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if g.Weights == "" || g.Photo == "" {
		fmt.Fprintln(os.Stderr, "squeezenet: -weights and -photo are needed")
		flag.Usage()
		os.Exit(2)
	}
	return g
}
