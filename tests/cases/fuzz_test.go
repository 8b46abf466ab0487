package cases

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// large numbers, or many of two digits, make cases that only take time.
var large = regexp.MustCompile(`[0-9]{3}|[0-9.][eE]|([0-9]{2}.*){5}`)

// FuzzLine: a line is refused with an error, or a case whose own line repeats it.
func FuzzLine(f *testing.F) {
	for _, row := range Rows() {
		for _, c := range row.Awkward() {
			f.Add(Line(row.Name, c))
		}
	}
	for _, line := range []string{
		"", "conv", "conv null", "none {}", `conv {"X":[1,3],"W":[2]}`, `conv {"X":[1,3,4,4],"W":[]}`,
		`gemm {"A":[2,3],"B":[4,5]}`, `concat {"Axis":9}`, `activation {"Func":"none"}`, `conv {"X":[1,-3,4,4],"W":[2,5,3,3]}`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if large.MatchString(line) {
			return
		}
		row, c, err := Parse(line)
		if err != nil {
			return
		}
		again := Line(row.Name, c)
		_, d, err := Parse(again)
		require.NoError(t, err, again)
		require.Equal(t, again, Line(row.Name, d))
	})
}
