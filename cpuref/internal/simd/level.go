package simd

import (
	"os"
	"strings"
	"sync/atomic"
)

// Level is an instruction set that the inner loops are written for.
type Level int32

// The levels, in rising order.
const (
	Portable Level = iota // plain Go
	AVX2                  // AVX2 and FMA, 8 lanes
	AVX512                // AVX-512 F, BW, DQ and VL, 16 lanes
)

// String returns the name that KANSU_SIMD takes.
func (l Level) String() string {
	switch l {
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return "portable"
}

// Name returns the name of the instruction set that the tiles use: that of the
// active level or, on arm64, "neon".
func Name() string {
	if tilesName != "" {
		return tilesName
	}
	return Active().String()
}

// Lanes returns the number of float32 that one instruction handles.
func (l Level) Lanes() int {
	switch l {
	case AVX2:
		return 8
	case AVX512:
		return 16
	}
	return 1
}

// best is the highest level that this processor and build have.
var best = detect()

var active atomic.Int32

func init() { active.Store(int32(limit(best, os.Getenv("KANSU_SIMD")))) }

// limit lowers a level to the one named; an unknown name changes nothing.
func limit(l Level, name string) Level {
	for _, have := range []Level{Portable, AVX2, AVX512} {
		if strings.EqualFold(name, have.String()) {
			return min(l, have)
		}
	}
	return l
}

// Best returns the highest level that this processor and build have.
func Best() Level { return best }

// Active returns the level in use.
func Active() Level { return Level(active.Load()) }

// SetLevel changes the level in use, for tests and comparisons, and returns the
// one before. A level above Best is lowered to it. Calls that are under way may
// finish with the old one.
func SetLevel(l Level) Level {
	return Level(active.Swap(int32(max(Portable, min(l, best)))))
}

// Levels returns the levels that this processor and build have, lowest first.
func Levels() []Level {
	var ls []Level
	for l := Portable; l <= best; l++ {
		ls = append(ls, l)
	}
	return ls
}
