package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/internal/bench"
	"github.com/kansu-dev/kansu/ops"
)

// TestMistakesAreErrors: what a command cannot do is an error that names the
// flag or the value, before anything is measured.
func TestMistakesAreErrors(t *testing.T) {
	t.Setenv("KANSU_ADAPTER", "cpu")
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
		return path
	}
	empty, text := file("empty.json", "{}"), file("text.json", "hello")
	noTimes := file("times.json", `{"measurements":[{"workload":"gemm512"}]}`)
	absent := filepath.Join(dir, "no", "such", "file")
	for _, c := range []struct {
		says string
		args []string
	}{
		{`no command "fly"`, []string{"fly"}},
		{`unexpected argument "x"`, []string{"info", "x"}},
		{`unexpected argument "x"`, []string{"bench", "x"}},
		{"not defined: -zoom", []string{"check", "-zoom"}},
		{`adapter "nosuch"`, []string{"check", "-device", "nosuch"}},
		{`no function "fold"`, []string{"check", "-function", "fold"}},
		{`-kernel "warp"`, []string{"check", "-function", "conv", "-kernel", "warp", "-n", "0"}},
		{"-n -1", []string{"check", "-n", "-1"}},
		{"case of conv", []string{"check", "-case", "conv {"}},
		{"2 input channels per group", []string{"check", "-case", `conv {"X":[1,3,5,5],"W":[4,2,3,3]}`}},
		{"-run", []string{"bench", "-run", "("}},
		{`"zzz" matches no workload`, []string{"bench", "-run", "zzz"}},
		{`-format "xml"`, []string{"bench", "-format", "xml"}},
		{"-reps 0", []string{"bench", "-reps", "0"}},
		{"-benchtime -1s", []string{"bench", "-benchtime", "-1s"}},
		{absent, []string{"bench", "-json", absent}},
		{absent, []string{"bench", "-html", absent}},
		{dir, []string{"bench", "-json", dir}},
		{absent, []string{"bench", "-compare", absent}},
		{"not a report", []string{"bench", "-compare", text}},
		{"no measurements", []string{"bench", "-compare", empty}},
		{"damaged", []string{"bench", "-compare", noTimes}},
		{"nothing to tune", []string{"tune"}},
		{"-gain 0", []string{"tune", "-gain", "0"}},
		{"-rounds 0", []string{"tune", "-rounds", "0"}},
		{absent, []string{"tune", "-o", absent}},
		{absent, []string{"gallery", absent}},
		{"no JPEG or PNG", []string{"gallery", text}},
	} {
		err := newRoot().ParseAndRun(context.Background(), c.args)
		require.Error(t, err, "%v", c.args)
		assert.Contains(t, err.Error(), c.says, "%v", c.args)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 3, "nothing is left behind by what was refused")
}

// TestBenchKeepsWhatItHas: stopped early, by a limit or by a peer that dies, bench
// reports the workloads that were run, in the files too.
func TestBenchKeepsWhatItHas(t *testing.T) {
	open := func(o ...ops.Option) (*ops.Engine, error) { return ops.Open(append(o, ops.WithAdapter("cpu"))...) }
	path := filepath.Join(t.TempDir(), "report.json")
	o := benchOptions{run: "^(linear_64x1024x1000|dwconv3x3_128x56)$", reps: 1, format: "json", json: path}
	names := func() (all []string) {
		r, err := bench.ReadReport(path)
		require.NoError(t, err)
		require.NotEmpty(t, r.Commit)
		for _, m := range r.Measurements {
			all = append(all, m.Workload)
		}
		return all
	}
	var out strings.Builder
	require.NoError(t, runBench(context.Background(), &out, open, o))
	both := names()
	require.Len(t, both, 2)

	// A peer that says who it is, answers for one workload, and goes.
	peer := filepath.Join(t.TempDir(), "peer.sh")
	one := `{"workload":"` + both[0] + `","ns":[1]}`
	require.NoError(t, os.WriteFile(peer, []byte("echo '{\"peer\":\"p\"}'; for i in 1 2; do read x; echo '"+one+"'; done\n"), 0o644))
	o.beside = []string{"sh " + peer}
	err := runBench(context.Background(), &out, open, o)
	require.ErrorContains(t, err, both[1], "the workload at which the peer was gone")
	assert.Equal(t, both[:1], names())

	o.beside, o.limit = nil, time.Nanosecond
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, runBench(context.Background(), &out, open, o))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after, "nothing was run, so that nothing is written")

	o.limit = 0
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, runBench(ctx, &out, open, o), context.Canceled)
}
