// Package gputest says what a test does where there is no GPU: it is left out,
// or it fails where the environment has KANSU_REQUIRE_GPU=1, so that CI cannot
// pass without the shaders' half.
package gputest

import (
	"os"
	"testing"
)

// Required reports whether a missing GPU is a failure.
func Required() bool { return os.Getenv("KANSU_REQUIRE_GPU") == "1" }

// Missing ends a test that could not open a GPU for the reason given.
func Missing(t testing.TB, err error) {
	t.Helper()
	if Required() {
		t.Fatalf("KANSU_REQUIRE_GPU=1, but there is no GPU: %v", err)
	}
	t.Skipf("the GPU half is left out: %v", err)
}
