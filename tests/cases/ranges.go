package cases

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Ranged is embedded by cases. It names, for each input in order and with commas
// between, what becomes of its drawn values: see ranges. Nothing, or an empty
// name, leaves them as they are.
type Ranged struct {
	Ranges string `json:",omitempty"`
}

func (c *Ranged) ranged() *Ranged { return c }

type rangedCase interface{ ranged() *Ranged }

// freedom is how much of an input's values a range may change.
type freedom uint8

const (
	fixed   freedom = 1 << iota // no range at all
	free                        // any range
	signed                      // with free: signs stay
	noLarge                     // with free: squares of large ones would leave float32
	noTiny                      // with free: squares of tiny ones vanish
)

// allows reports whether an input may be drawn in a range. With no freedom
// stated it may where its values are drawn normally.
func (in Input) allows(name string) bool {
	f := in.Range
	if f == 0 && in.Draw == nil {
		f = free
	}
	switch {
	case in.Shape == nil, in.Indices, f&free == 0:
		return false
	case f&signed != 0 && ranges[name].signs, f&noLarge != 0 && name == "large", f&noTiny != 0 && name == "tiny":
		return false
	}
	return true
}

// aRange changes the values of one tensor: v lies in rows of the given length,
// in channels of the given number of elements.
type aRange struct {
	signs bool    // it changes signs
	power float64 // of ten, the largest it multiplies by
	apply func(r *rand.Rand, v []float32, row, channel int)
}

// ranges are the ways in which values of one tensor differ in size. A kernel that
// mixes elements in ways that its definition does not, as transformed
// convolutions and merged statistics do, shows it in the small ones.
var ranges = map[string]aRange{
	// one value that outweighs all others together
	"spike": {power: 12, apply: func(r *rand.Rand, v []float32, _, _ int) {
		v[r.IntN(len(v))] *= powerOfTen(r, 1, 12)
	}},
	// one in every channel
	"spikes": {power: 9, apply: func(r *rand.Rand, v []float32, _, channel int) {
		size := powerOfTen(r, 1, 9)
		for part := range slices.Chunk(v, channel) {
			part[r.IntN(len(part))] *= size
		}
	}},
	// up to twelve orders of magnitude
	"wide": {power: 6, apply: func(r *rand.Rand, v []float32, _, _ int) {
		span := pick(r, 6, 6*r.Float64())
		for i := range v {
			v[i] *= powerOfTen(r, -span, span)
		}
	}},
	// zeros in blocks, as whole windows and channels have after ReLU
	"blocks": {apply: func(r *rand.Rand, v []float32, row, channel int) {
		unit := pick(r, 1, 1, row, channel)
		longest := pick(r, 3, 16, 1+len(v)/unit/2)
		for at := 0; at < len(v); {
			n := unit * (1 + r.IntN(longest))
			if r.IntN(2) == 0 {
				clear(v[at:min(len(v), at+n)])
			}
			at += n
		}
	}},
	// all zero
	"zero": {apply: func(_ *rand.Rand, v []float32, _, _ int) { clear(v) }},
	// neighbours that cancel, all but a thousandth
	"cancel": {power: 3, signs: true, apply: func(r *rand.Rand, v []float32, row, _ int) {
		first := float32(1 + r.IntN(1000))
		for i := range v {
			v[i] = first * (1 + v[i]/1000)
			if (i/row+i%row)%2 == 1 {
				v[i] = -v[i]
			}
		}
	}},
	// all much alike, so that what cancels in another input does so in the sum
	"even": {signs: true, apply: func(r *rand.Rand, v []float32, _, _ int) {
		for i := range v {
			v[i] = 1 + v[i]/1000
		}
	}},
	"tiny":  {apply: func(_ *rand.Rand, v []float32, _, _ int) { scaleBy(v, 1e-30) }},
	"large": {power: 15, apply: func(_ *rand.Rand, v []float32, _, _ int) { scaleBy(v, 1e15) }},
}

// rangeNames are what an input is drawn from; calmRanges where one may be tiny.
var (
	rangeNames = []string{"", "spike", "spikes", "wide", "blocks", "zero", "cancel", "even", "large"}
	calmRanges = []string{"", "tiny", "blocks", "zero", "cancel", "even"}
)

// powerOfTen draws 10 to a power that is even between lo and hi.
func powerOfTen(r *rand.Rand, lo, hi float64) float32 {
	return float32(math.Pow(10, lo+(hi-lo)*r.Float64()))
}

func scaleBy(v []float32, by float32) {
	for i := range v {
		v[i] *= by
	}
}

// Draw draws a random case as Random does, and every third time ranges for its
// inputs. Differences of functions, which ranges are too much for, take Random.
func (r Row) Draw(rnd *rand.Rand) Case {
	c := r.Random(rnd)
	w, ok := c.(rangedCase)
	if !ok || rnd.IntN(3) > 0 {
		return c
	}
	var names []string
	from := rangeNames
	if rnd.IntN(2) == 0 { // beside tiny values only calm ones, or products would vanish
		from = calmRanges
	}
	tiny, powers := false, 0.0
	for _, in := range c.Inputs() {
		name := pick(rnd, from...)
		if !in.allows(name) || name == "tiny" && tiny || powers+ranges[name].power > 27 {
			name = "" // a product of all would leave float32
		}
		tiny = tiny || name == "tiny"
		powers += ranges[name].power
		names = append(names, name)
	}
	w.ranged().Ranges = strings.TrimRight(strings.Join(names, ","), ",")
	return c
}

// hasRanges reports whether a case's values are of different sizes.
func hasRanges(c Case) bool {
	w, ok := c.(rangedCase)
	return ok && w.ranged().Ranges != ""
}

// applyRanges changes the drawn values of a case's inputs as its ranges say.
func applyRanges(c Case, in [][]float32, seed uint64) {
	if !hasRanges(c) {
		return
	}
	inputs := c.Inputs()
	for i, name := range strings.Split(c.(rangedCase).ranged().Ranges, ",") {
		if name == "" {
			continue
		}
		change, ok := ranges[name]
		if !ok || i >= len(in) {
			panic(fmt.Sprintf("no range %q of input %d; there are %s", name, i, strings.Join(slices.Sorted(maps.Keys(ranges)), " "))) // Parse reports it
		}
		shape := inputs[i].Shape
		if len(in[i]) == 0 {
			continue
		}
		row, channel := 1, len(in[i])
		if len(shape) > 0 {
			row = shape[len(shape)-1]
		}
		for _, n := range shape[:min(2, len(shape))] {
			channel /= n
		}
		change.apply(rand.New(rand.NewPCG(seed, uint64(1000+i))), in[i], row, channel)
	}
}
