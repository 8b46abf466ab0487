package shaders

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestUnroll(t *testing.T) {
	const text = `const N = 2u;
fn f() {
  for (var i = 0u; i < N; i++) { // unroll
    for (var j = 0u; j < 2u; j++) { // unroll
      a[i * N + j] = li[i];
    }
  }
  for (var i = 0u; i < N; i++) {
    b[i] = 0.0;
  }
}
`
	const want = `const N = 2u;
fn f() {
  {
    {
      a[0u] = li[0u];
    }
    {
      a[1u] = li[0u];
    }
  }
  {
    {
      a[2u] = li[1u];
    }
    {
      a[3u] = li[1u];
    }
  }
  for (var i = 0u; i < N; i++) {
    b[i] = 0.0;
  }
}
`
	assert.Equal(t, want, unroll(text))
	assert.Equal(t, "fn f() {}\n", unroll("fn f() {}\n"))
}

func TestUnrollRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no end":        "  for (var i = 0u; i < 2u; i++) { // unroll\n    a[i] = 0;\n",
		"no constant":   "for (var i = 0u; i < N; i++) { // unroll\n}\n",
		"two counters":  "for (var i = 0u; j < 2u; i++) { // unroll\n}\n",
		"not a literal": "const N = M;\nfor (var i = 0u; i < N; i++) { // unroll\n}\n",
	} {
		assert.Panics(t, func() { unroll(text) }, name)
	}
}

func TestUnrollFoldsIndices(t *testing.T) {
	const head = "const N = 3u;\nconst M = 2u * N;\n"
	for in, want := range map[string]string{
		"a[(N + 4u * 2u) / 4u][(N + 4u * 2u) % 4u]": "a[2u][3u]",
		"a[ 1u + N*2u ]": "a[7u]",
		"a[M]":           "a[M]", // not a literal
		"a[i + 1u]":      "a[i + 1u]",
		"a[N / 0u]":      "a[N / 0u]",
		"a[(N]":          "a[(N]",
		"a[1u 2u]":       "a[1u 2u]",
		"array<f32, N>":  "array<f32, N>",
	} {
		assert.Equal(t, head+want, unroll(head+in))
	}
}
