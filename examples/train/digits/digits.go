// Package digits holds 1,797 handwritten digits of 8x8 pixels: the test set of
// "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (1998),
// of the UCI Machine Learning Repository (doi.org/10.24432/C50P49), which is
// under the Creative Commons Attribution 4.0 International license (CC BY 4.0).
// The file is unchanged but for its compression.
package digits

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
)

//go:embed digits.csv.gz
var raw []byte

// Set is a number of digits.
type Set struct {
	Pixels []float32 // 64 for each digit, row-major, 0 to 1
	Labels []int32   // 0 to 9
}

// Len returns the number of digits.
func (s Set) Len() int { return len(s.Labels) }

// TrainSize is the number of digits to train on. The others are by other people.
const TrainSize = 1437

// Load returns the digits to train on and those to test on.
func Load() (train, test Set, err error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return train, test, err
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		return train, test, err
	}
	for i, row := range rows {
		if len(row) != 65 {
			return train, test, fmt.Errorf("digit %d has %d numbers, not 65", i, len(row))
		}
		set := &train
		if i >= TrainSize {
			set = &test
		}
		for j, field := range row {
			v, err := strconv.ParseFloat(field, 32)
			if err != nil {
				return train, test, fmt.Errorf("digit %d: %w", i, err)
			}
			if j < 64 {
				set.Pixels = append(set.Pixels, float32(v)/16)
			} else {
				set.Labels = append(set.Labels, int32(v))
			}
		}
	}
	return train, test, nil
}
