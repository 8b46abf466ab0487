package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/conformance"
)

// shared is where the third-party data lies that is read but not part of the
// project; a test that needs it is skipped where it is absent.
const shared = "../../shared"

// casesFolder resolves -cases, which may be relative to the repository's root,
// where go test is called, or to this package.
func casesFolder(t *testing.T) string {
	dirs := []string{filepath.Join(shared, "conformance")}
	if *casesFlag != "" {
		dirs = []string{*casesFlag}
		if !filepath.IsAbs(*casesFlag) {
			dirs = []string{filepath.Join("..", *casesFlag), *casesFlag}
		}
	}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	if *casesFlag != "" {
		t.Fatalf("-cases=%s: no such folder", *casesFlag)
	}
	t.Skipf("no conformance cases: %s is absent; name a folder with -args -cases=DIR", dirs[0])
	return ""
}

// TestConformance runs the cases of ONNX, WebNN and PyTorch:
//
//	go test ./tests -v -run Conformance -args -cases=DIR -backend=gpu
//
// The last line that it prints counts the cases that passed, failed and were
// skipped. (go test shows the output of a test that passes under -v only.)
func TestConformance(t *testing.T) {
	files, err := conformance.Load(casesFolder(t))
	require.NoError(t, err)
	var total conformance.Count
	onEach(t, func(t *testing.T, e *ops.Engine) {
		fmt.Printf("conformance on %v\n", e.Device())
		n := conformance.RunAll(os.Stdout, e, files)
		total = total.Plus(n)
		if n.Failed > 0 {
			t.Errorf("%d of %d cases failed", n.Failed, n.Passed+n.Failed)
		}
		require.Zero(t, e.Stats().LiveTensors, "tensors are left over")
	})
	fmt.Println(total)
}
