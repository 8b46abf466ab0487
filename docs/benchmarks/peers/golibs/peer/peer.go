// Package peer answers the lines of `kansu bench -beside`, which package
// internal/bench of kansu describes.
package peer

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// Workload says what a workload takes, in kansu's order, and makes it ready.
type Workload struct {
	Inputs []Input
	// Make returns a call on one set of inputs; it returns the outputs.
	Make func(in [][]float32) (call func() [][]float32, err error)
}

// Input is one tensor. Its values are drawn evenly from Lo to Hi, or normally
// where they are equal, or are zero.
type Input struct {
	Shape  []int
	Lo, Hi float32
	Zero   bool
}

// Of returns inputs of normally drawn values.
func Of(shapes ...[]int) []Input {
	var in []Input
	for _, s := range shapes {
		in = append(in, Input{Shape: s})
	}
	return in
}

// Count returns the number of elements.
func Count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Threads sets GOMAXPROCS as OMP_NUM_THREADS says, by which kansu bench tells a
// peer, and returns it.
func Threads() int {
	if n, err := strconv.Atoi(os.Getenv("OMP_NUM_THREADS")); err == nil && n > 0 {
		runtime.GOMAXPROCS(n)
	}
	return runtime.GOMAXPROCS(0)
}

type question struct {
	Workload string  `json:"workload"`
	Seconds  float64 `json:"seconds"`
	Sets     int     `json:"sets"`
	Reps     int     `json:"reps"`
	Save     string  `json:"save"`
}

type answer struct {
	Workload string  `json:"workload"`
	Ns       []int64 `json:"ns,omitempty"`
	Note     string  `json:"note,omitempty"`
	Saved    bool    `json:"saved"`
}

// Serve answers questions until there are no more.
func Serve(name string, all map[string]Workload) error {
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(map[string]any{"peer": name, "device": "CPU", "threads": Threads()}); err != nil {
		return err
	}
	var have string
	var first [][]float32
	var calls []func() [][]float32
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return err
		}
		a := answer{Workload: q.Workload}
		if have != q.Workload {
			have, calls, first = q.Workload, nil, nil
			runtime.GC()
			if w, ok := all[q.Workload]; ok {
				var err error
				if first, calls, err = prepare(w, max(1, q.Sets)); err != nil {
					fmt.Fprintf(os.Stderr, "%s: %s: %v\n", name, q.Workload, err)
					a.Note, calls = "fails", nil
				}
			}
		}
		if calls != nil {
			if q.Save != "" {
				if err := save(q.Save, first, calls[0]()); err != nil {
					return err
				}
				a.Saved = true
			}
			a.Ns = measure(calls, q)
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

// slow is where a call is so long that caches do not matter: one set will do.
const slow = 300 * time.Millisecond

func prepare(w Workload, sets int) (first [][]float32, calls []func() [][]float32, err error) {
	defer func() {
		if p := recover(); p != nil { // as some libraries report errors
			err = fmt.Errorf("%v", p)
		}
	}()
	for i := range sets {
		in := draw(w.Inputs, uint64(i))
		if i == 0 {
			first = in
		}
		call, err := w.Make(in)
		if err != nil {
			return nil, nil, err
		}
		start := time.Now()
		call()
		calls = append(calls, call)
		if time.Since(start) > slow {
			break
		}
	}
	return first, calls, nil
}

func measure(calls []func() [][]float32, q question) []int64 {
	var ns []int64
	spent := 0.0
	if len(calls) > 1 {
		calls[0]() // threads wake up
	}
	for i := 1; spent < q.Seconds || len(ns) < max(1, q.Reps); i++ {
		start := time.Now()
		calls[i%len(calls)]()
		d := time.Since(start)
		ns = append(ns, d.Nanoseconds())
		spent += d.Seconds()
	}
	return ns
}

func draw(inputs []Input, seed uint64) [][]float32 {
	var all [][]float32
	for i, in := range inputs {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		v := make([]float32, Count(in.Shape))
		for j := range v {
			const fresh = 1048573 // drawing takes longer than copying: so many values repeat
			switch {
			case in.Zero:
			case j >= fresh:
				v[j] = v[j-fresh]
			case in.Hi > in.Lo:
				v[j] = in.Lo + (in.Hi-in.Lo)*r.Float32()
			default:
				v[j] = float32(r.NormFloat64())
			}
		}
		all = append(all, v)
	}
	return all
}

func save(folder string, in, out [][]float32) error {
	for kind, all := range map[string][][]float32{"in": in, "out": out} {
		for i, v := range all {
			raw := make([]byte, 0, 4*len(v))
			for _, x := range v {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
			}
			if err := os.WriteFile(filepath.Join(folder, kind+strconv.Itoa(i)), raw, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}
