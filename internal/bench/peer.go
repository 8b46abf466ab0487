package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Peer is another library that times the same workloads: a running program, or
// the file that it wrote earlier.
//
// A program says in its first line who it is, {"peer", "device", "threads"},
// and answers each line on its input, {"workload", "seconds", "sets", "reps"},
// with a line {"workload", "ns", "note"}: the nanoseconds of each call, after
// its own warm-up, rotating through so many sets of inputs; ns is absent where
// it does not have the workload. Where a question names a folder in "save", a
// peer that can writes what one call took and returned there, and says "saved":
// true. The files in0, in1 and out0, out1 hold float32 values, little-endian, in
// the order of the case's inputs and of what its call returns; outputs may be
// left out from the end. A file has the first line's fields and "measurements",
// a list of such answers.
type Peer struct {
	PeerInfo
	answers map[string]answer // of a file
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

// PeerInfo is who a peer is, in its own words.
type PeerInfo struct {
	Name    string `json:"peer"`
	Device  string `json:"device"`
	Threads int    `json:"threads"`
}

// Beside is what a peer needed for a workload.
type Beside struct {
	Ns   []float64 `json:"ns,omitempty"` // of each call, sorted; nil where the peer does not have the workload
	Note string    `json:"note,omitempty"`
	// Ratio is the peer's median time over kansu's in each round of both, sorted:
	// above 1 kansu is faster. Noise that lasts longer than a round cancels.
	Ratio []float64 `json:"ratio,omitempty"`
	// Differs is how far the peer's results lie from kansu's of the same inputs:
	// the largest difference over the largest magnitude. Nil: not compared.
	Differs *float64 `json:"differs,omitempty"`
}

type question struct {
	Workload string  `json:"workload"`
	Seconds  float64 `json:"seconds"`
	Sets     int     `json:"sets"`
	Reps     int     `json:"reps"`
	Save     string  `json:"save,omitempty"`
}

type answer struct {
	Workload string    `json:"workload"`
	Ns       []float64 `json:"ns"`
	Note     string    `json:"note"`
	Saved    bool      `json:"saved"`
}

// OpenPeer starts a peer, or reads its file where from ends in .json. A program
// is given as many threads as Go uses, by OMP_NUM_THREADS, unless the variable
// is set.
func OpenPeer(ctx context.Context, from string) (*Peer, error) {
	fail := func(err error) (*Peer, error) { return nil, fmt.Errorf("-beside %q: %w", from, err) }
	if strings.HasSuffix(from, ".json") {
		raw, err := os.ReadFile(from)
		if err != nil {
			return fail(err)
		}
		p := &Peer{answers: map[string]answer{}}
		var file struct {
			PeerInfo
			Measurements []answer `json:"measurements"`
		}
		if err := json.Unmarshal(raw, &file); err != nil {
			return fail(err)
		}
		for _, a := range file.Measurements {
			slices.Sort(a.Ns)
			p.answers[a.Workload] = a
		}
		p.PeerInfo = file.PeerInfo
		return p, nil
	}
	words := strings.Fields(from)
	if len(words) == 0 {
		return fail(errors.New("a command or a .json file is wanted"))
	}
	p := &Peer{cmd: exec.CommandContext(ctx, words[0], words[1:]...)}
	p.cmd.Stderr = os.Stderr
	p.cmd.Env = os.Environ()
	if os.Getenv("OMP_NUM_THREADS") == "" {
		p.cmd.Env = append(p.cmd.Env, fmt.Sprintf("OMP_NUM_THREADS=%d", runtime.GOMAXPROCS(0)))
	}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return fail(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return fail(err)
	}
	if err := p.cmd.Start(); err != nil {
		return fail(err)
	}
	p.out = json.NewDecoder(bufio.NewReader(out))
	if err := p.out.Decode(&p.PeerInfo); err != nil {
		return fail(errors.Join(fmt.Errorf("its first line: %w", err), p.Close()))
	}
	return p, nil
}

// Live says whether the peer is a program, which is timed in turn, rather than
// a file.
func (p *Peer) Live() bool { return p.cmd != nil }

// Close ends a program.
func (p *Peer) Close() error {
	if p.cmd == nil {
		return nil
	}
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

func (p *Peer) ask(q question) (a answer, err error) {
	if !p.Live() {
		return p.answers[q.Workload], nil
	}
	if err := json.NewEncoder(p.in).Encode(q); err != nil {
		return a, fmt.Errorf("%s: %w", p.Name, err)
	}
	if err := p.out.Decode(&a); err != nil {
		return a, fmt.Errorf("%s: %s: %w", p.Name, q.Workload, err)
	}
	if a.Workload != q.Workload {
		return a, fmt.Errorf("%s: asked for %s, it answered %s", p.Name, q.Workload, a.Workload)
	}
	slices.Sort(a.Ns)
	return a, nil
}

// settle is what the threads of a peer are given to fall asleep: those of
// OpenMP and OpenBLAS keep a core busy for a while after their work is done.
const settle = 60 * time.Millisecond

// beside times the workload and its peers in turn, in rounds.
func (s *session) beside(o Options) error {
	rounds := max(1, o.MinReps)
	each := o.MinTime / time.Duration(rounds)
	s.m.Peers = make([]Beside, len(o.Peers))
	q := question{Workload: s.w.Name, Seconds: each.Seconds(), Sets: len(s.sets), Reps: 2}
	// The first answers are for warming up, and tell who has the workload at all.
	for i, p := range o.Peers {
		warm := q
		warm.Seconds, warm.Reps = 0, 1
		a, differs, err := s.askSaving(p, warm)
		if err != nil {
			return err
		}
		s.m.Peers[i].Note, s.m.Peers[i].Differs = a.Note, differs
		if !p.Live() {
			s.m.Peers[i].Ns = a.Ns
		}
	}
	own := func() (float64, error) {
		var ns []float64
		time.Sleep(settle)
		_, err := s.batch(s.n)
		if err != nil {
			return 0, err
		}
		if s.clock() {
			ns, err = s.device(each, 2)
		} else {
			ns, err = s.wall(each, 2)
		}
		ns = slices.Clone(ns)
		slices.Sort(ns)
		return Median(ns), err
	}
	if s.clock() {
		if _, err := s.wall(0, o.MinReps); err != nil {
			return err
		}
	}
	for range rounds {
		mine, err := own()
		if err != nil {
			return err
		}
		for i, p := range o.Peers {
			b := &s.m.Peers[i]
			if p.Live() {
				a, err := p.ask(q)
				if err != nil {
					return err
				}
				if len(a.Ns) == 0 {
					continue
				}
				b.Ns = append(b.Ns, a.Ns...)
				b.Ratio = append(b.Ratio, Median(a.Ns)/mine)
			} else if len(b.Ns) > 0 {
				b.Ratio = append(b.Ratio, Median(b.Ns)/mine)
			}
		}
	}
	for i := range s.m.Peers {
		slices.Sort(s.m.Peers[i].Ns)
		slices.Sort(s.m.Peers[i].Ratio)
	}
	return nil
}
