package tune

import (
	"math"

	"github.com/kansu-dev/kansu/shaders"
)

// Entries makes a table's entries of what was measured: for each class the
// kernel with the greatest gain, as a geometric mean over the class's shapes,
// where that is at least least. It must have served all those shapes, never have
// differed from the oracle, and have lost on none of them, the slower quarter of
// its rounds included. All outcomes of a class count, whatever their order.
func Entries(all []Outcome, least float64) []shaders.TableEntry {
	type class struct{ function, name string }
	shapes := map[class][]Outcome{}
	var order []class
	for _, o := range all {
		c := class{o.Function, o.Class}
		if o.Class == "" {
			continue
		}
		if shapes[c] == nil {
			order = append(order, c)
		}
		shapes[c] = append(shapes[c], o)
	}
	var entries []shaders.TableEntry
	for _, c := range order {
		best := shaders.TableEntry{Function: c.function, Class: c.name, Gain: least}
		for _, kernel := range shaders.Tunable()[c.function] {
			if gain := gainOver(shapes[c], kernel); gain >= best.Gain && (best.Kernel == "" || gain > best.Gain) {
				best.Kernel, best.Gain = kernel, gain
			}
		}
		if best.Kernel != "" {
			best.Gain = math.Round(best.Gain*100) / 100
			entries = append(entries, best)
		}
	}
	return entries
}

// gainOver is a kernel's gain over all shapes of a class, 0 where it is none.
func gainOver(shapes []Outcome, kernel string) float64 {
	logs := 0.0
	for _, s := range shapes {
		found := false
		for i := range s.Trials {
			t := &s.Trials[i]
			if t.Kernel == kernel && t.Err == nil && t.wins() {
				found = true
				logs += math.Log(t.Median())
			}
		}
		if !found {
			return 0
		}
	}
	return math.Exp(logs / float64(len(shapes)))
}

// Merge returns the old entries but for those of the classes that were measured
// anew, and the new ones.
func Merge(old, now []shaders.TableEntry, measured []Outcome) []shaders.TableEntry {
	type class struct{ function, name string }
	anew := map[class]bool{}
	for _, o := range measured {
		anew[class{o.Function, o.Class}] = true
	}
	var all []shaders.TableEntry
	for _, e := range old {
		if !anew[class{e.Function, e.Class}] {
			all = append(all, e)
		}
	}
	return append(all, now...)
}
