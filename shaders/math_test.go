package shaders

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kansu-dev/kansu/spec"
)

var declared = regexp.MustCompile(`(?m)^(?:fn|const) (\w+)`)

// Every function comes with all that it uses, nothing twice, in file order.
func TestMathSource(t *testing.T) {
	order := map[string]int{}
	for i, m := range declared.FindAllStringSubmatch(mathWGSL+mathGradWGSL, -1) {
		require.NotContains(t, order, m[1], "declared twice")
		order[m[1]] = i
	}
	require.Equal(t, len(order), len(mathItems()))
	for _, f := range spec.Pointwises() {
		src := ActivationSource("act", f.Default())
		got := map[string]bool{}
		last := -1
		for _, m := range declared.FindAllStringSubmatch(src, -1) {
			assert.False(t, got[m[1]], "%v: %s twice", f, m[1])
			got[m[1]] = true
			if m[1] != "act" {
				assert.Greater(t, order[m[1]], last, "%v: %s out of order", f, m[1])
				last = order[m[1]]
			}
		}
		for _, n := range mathName.FindAllString(lineComment.ReplaceAllString(src, ""), -1) {
			assert.True(t, got[n], "%v: uses %s without its text", f, n)
		}
		assert.Equal(t, strings.Count(src, "{"), strings.Count(src, "}"), "%v", f)
	}
	assert.Contains(t, ActivationSource("act", spec.Activation{}), "fn act(x: f32, a: f32, b: f32) -> f32 { return k_identity(x); }")
	both := ActivationSource("act", spec.SiLU.Default(), "k_exp")
	assert.Equal(t, 1, strings.Count(both, "fn k_exp_parts("))
	assert.Contains(t, both, "fn k_exp(")
	assert.Panics(t, func() { MathSource("k_nothing") })
}

// The built-in functions that are too inexact are not used.
func TestMathAvoidsBuiltins(t *testing.T) {
	code := lineComment.ReplaceAllString(mathWGSL+mathGradWGSL, "")
	for _, name := range []string{"exp", "exp2", "log", "log2", "pow", "sin", "cos", "tan", "tanh", "sinh", "cosh",
		"asin", "acos", "atan", "asinh", "acosh", "atanh", "sqrt", "fract", "mix", "smoothstep"} {
		assert.NotRegexp(t, `(^|[^\w])`+name+`\(`, code)
	}
}
