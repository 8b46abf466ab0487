package bench

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/cases"
	"github.com/stretchr/testify/require"
)

// TestMain lets the test's own program be a peer: see fakePeer.
func TestMain(m *testing.M) {
	if off := os.Getenv("KANSU_FAKE_PEER"); off != "" {
		if err := fakePeer(off == "wrong"); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// fakePeer multiplies a matrix with itself, in 1 ms; it knows one workload.
func fakePeer(wrong bool) error {
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(PeerInfo{Name: "fake", Device: "none", Threads: 1}); err != nil {
		return err
	}
	a, product := []float32{1, 2, 3, 4}, []float32{7, 10, 15, 22}
	if wrong {
		product[1] = 11
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return err
		}
		r := answer{Workload: q.Workload}
		if q.Workload == "square" {
			r.Ns = []float64{1e6}
			for name, v := range map[string][]float32{"in0": a, "in1": a, "out0": product} {
				if q.Save == "" {
					break
				}
				r.Saved = true
				if err := os.WriteFile(filepath.Join(q.Save, name), floats(v), 0o600); err != nil {
					return err
				}
			}
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

func floats(v []float32) (raw []byte) {
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return raw
}

func TestPeersAreCompared(t *testing.T) {
	e, err := ops.Open(ops.WithAdapter("cpu"))
	require.NoError(t, err)
	defer e.Close()
	open := func(how string) *Peer {
		t.Setenv("KANSU_FAKE_PEER", how)
		p, err := OpenPeer(t.Context(), os.Args[0])
		require.NoError(t, err)
		return p
	}
	right, wrong := open("right"), open("wrong")
	defer func() { require.NoError(t, right.Close()) }()
	defer func() { require.NoError(t, wrong.Close()) }()
	r := NewReport(e)
	for _, p := range []*Peer{right, wrong} {
		r.Peers = append(r.Peers, p.PeerInfo)
	}
	for _, name := range []string{"square", "unknown"} {
		w := cases.Workload{Name: name, Function: "matmul", Case: &cases.MatMulCase{A: []int{2, 2}, B: []int{2, 2}}}
		m, err := Run(e, w, Options{MinReps: 2, Peers: []*Peer{right, wrong}})
		require.NoError(t, err)
		r.Measurements = append(r.Measurements, m)
	}
	known, unknown := r.Measurements[0].Peers, r.Measurements[1].Peers
	require.Len(t, known[0].Ratio, 2)
	require.InDelta(t, 0, *known[0].Differs, 1e-6)
	require.False(t, known[0].wrong())
	require.InDelta(t, 1.0/22, *known[1].Differs, 1e-6)
	require.True(t, known[1].wrong())
	require.Empty(t, unknown[0].Ratio)
	require.Nil(t, unknown[0].Differs)
	require.NoError(t, r.WriteJSON(&strings.Builder{}))

	var table strings.Builder
	r.WriteTable(&table, true)
	require.Contains(t, table.String(), "DIFFERS by 4.5e-02")
	require.Contains(t, table.String(), "| fastest peer | ratio | to fake | to fake |")
}

func TestDistance(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		got, want []float32
		is        float64
	}{
		{[]float32{1, 2}, []float32{1, 2}, 0},
		{[]float32{1, 3}, []float32{1, 4}, 0.25},
		{[]float32{inf, nan}, []float32{inf, nan}, 0},
		{[]float32{1}, []float32{nan}, math.MaxFloat64},
		{[]float32{nan}, []float32{1}, math.MaxFloat64},
		{[]float32{-inf}, []float32{inf}, math.MaxFloat64},
		{[]float32{1}, []float32{inf}, math.MaxFloat64},
	} {
		require.Equal(t, c.is, distance(c.got, c.want), "%v beside %v", c.got, c.want)
	}
}

func TestReadFloatsOfAnotherSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in0")
	require.NoError(t, os.WriteFile(path, floats([]float32{1, 2}), 0o600))
	v, err := readFloats(path, 2)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2}, v)
	_, err = readFloats(path, 3)
	require.ErrorContains(t, err, "in0 has 8 bytes, want 3 float32 values")
}
