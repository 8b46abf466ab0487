// Package testseed gives tests the seeds of their random draws: the same on every
// run, so that a test which passed once passes again, and others where
// KANSU_SEED asks for them. To search with new draws:
//
//	KANSU_SEED=random go test -count=10 ./tests -run Check
package testseed

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Of returns the test's usual seed, the number that KANSU_SEED names, or for
// KANSU_SEED=random a new one, and logs what repeats the run.
func Of(t testing.TB, usual uint64) uint64 {
	t.Helper()
	seed := usual
	switch want := os.Getenv("KANSU_SEED"); want {
	case "":
	case "random":
		seed = rand.Uint64()
	default:
		n, err := strconv.ParseUint(want, 10, 64)
		if err != nil {
			t.Fatalf("KANSU_SEED=%s is neither a number nor \"random\"", want)
		}
		seed = n
	}
	t.Logf("seed %d: KANSU_SEED=%d repeats this run", seed, seed)
	return seed
}
