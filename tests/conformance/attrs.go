package conformance

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Attrs are the attributes that a node was given; what is not there has its
// operator's default.
type Attrs map[string]json.RawMessage

// wrong is how an operator gives up on a case; run recovers it as the error.
type wrong struct{ err error }

func fail(format string, args ...any) {
	panic(wrong{fmt.Errorf(format, args...)})
}

// Has reports whether the attribute was given.
func (a Attrs) Has(name string) bool {
	raw, ok := a[name]
	return ok && string(raw) != "null"
}

func (a Attrs) decode(name string, to any) {
	if err := json.Unmarshal(a[name], to); err != nil {
		fail("attribute %s = %s: %v", name, a[name], err)
	}
}

// Float returns a number, or the default.
func (a Attrs) Float(name string, def float64) float64 {
	if !a.Has(name) {
		return def
	}
	v, err := parseFloat(strings.Trim(string(a[name]), `"`))
	if err != nil {
		fail("attribute %s: %v", name, err)
	}
	return v
}

// F32 is Float rounded to the type of the elements.
func (a Attrs) F32(name string, def float64) float32 { return float32(a.Float(name, def)) }

// Int returns an integer, or the default.
func (a Attrs) Int(name string, def int) int {
	v := a.Float(name, float64(def))
	if v != math.Trunc(v) {
		fail("attribute %s = %v is not an integer", name, v)
	}
	return int(v)
}

// Bool returns a truth value, as such or as 0 or 1.
func (a Attrs) Bool(name string, def bool) bool {
	switch string(a[name]) {
	case "", "null":
		return def
	case "true":
		return true
	case "false":
		return false
	}
	return a.Int(name, 0) != 0
}

// String returns a word, or the default.
func (a Attrs) String(name, def string) string {
	if a.Has(name) {
		a.decode(name, &def)
	}
	return def
}

// Ints returns a list of integers, or a single one as a list; nil without.
func (a Attrs) Ints(name string) []int {
	if !a.Has(name) {
		return nil
	}
	if a[name][0] != '[' {
		return []int{a.Int(name, 0)}
	}
	v := []int{}
	a.decode(name, &v)
	return v
}

// Floats returns a list of numbers; nil without.
func (a Attrs) Floats(name string) []float32 {
	if !a.Has(name) {
		return nil
	}
	var v []float32
	a.decode(name, &v)
	return v
}

// Doubles returns a list of numbers in full, or a single one as a list; nil
// without.
func (a Attrs) Doubles(name string) []float64 {
	if !a.Has(name) {
		return nil
	}
	if a[name][0] != '[' {
		return []float64{a.Float(name, 0)}
	}
	var v []float64
	a.decode(name, &v)
	return v
}

// Tensor returns a tensor, or nil.
func (a Attrs) Tensor(name string) *Tensor {
	if !a.Has(name) {
		return nil
	}
	t := new(Tensor)
	a.decode(name, t)
	return t
}
