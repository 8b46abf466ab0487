package safetensors_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/kansu-dev/kansu/safetensors"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	err = safetensors.Save(path, &safetensors.File{Tensors: map[string]safetensors.Tensor{
		"fc.weight": {Shape: []int{2, 3}, Data: []float32{1, 2, 3, 4, 5, 6}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	f, err := safetensors.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	w := f.Tensors["fc.weight"]
	fmt.Println(w.Shape, w.Data) // eng.Tensor(w.Data, w.Shape...) brings it to a device
	// Output: [2 3] [1 2 3 4 5 6]
}
