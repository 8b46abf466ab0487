package tests

import (
	"math/rand/v2"
	"testing"

	"github.com/kansu-dev/kansu/ops"
	"github.com/kansu-dev/kansu/tests/cases"
)

// TestCheck compares every function, with each of its kernels, with the oracle
// over awkward and random cases, in memory that is poisoned and guarded.
func TestCheck(t *testing.T) {
	s := seed(t)
	onEach(t, func(t *testing.T, e *ops.Engine) {
		for _, row := range cases.Rows() {
			t.Run(row.Name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(s, 1))
				all := row.Awkward()
				for range *randomFlag {
					all = append(all, row.Draw(r))
				}
				for _, c := range all {
					for _, kernel := range row.Variants() {
						if res := cases.Check(e, row, c, kernel); res.Err != nil {
							t.Errorf("kernel %q: %v\n  repeat: %s", kernel, res.Err, cases.Line(row.Name, c))
						}
					}
				}
				if err := e.CheckGuards(); err != nil {
					t.Error(err)
				}
			})
		}
	}, ops.WithDebug())
}
