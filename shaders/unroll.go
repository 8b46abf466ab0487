package shaders

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Loops over small register arrays have to be unrolled before a driver sees
// them: a software adapter keeps an array that is indexed by a loop's counter in
// memory, and some GPU compilers do too. The shaders mark such loops,
//
//	for (var i = 0u; i < TILE; i++) { // unroll
//	  acc[i] = fma(a[i], b, acc[i]);
//	}
//
// and stay valid WGSL as they stand; unroll writes the copies out.
var unrollHead = regexp.MustCompile(`^(\s*)for \(var (\w+) = 0u; (\w+) < (\w+); (\w+)\+\+\) \{ // unroll$`)

// unroll replaces every marked loop, the outer ones first, by one block for
// each value of its counter. The limit is a literal or a module constant, so
// unroll comes after the edits that set constants. A loop ends at the first
// line that is a closing brace with the indentation of its head.
func unroll(text string) string {
	var out strings.Builder
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		m := unrollHead.FindStringSubmatch(lines[i])
		if m == nil {
			out.WriteString(lines[i])
			if i < len(lines)-1 {
				out.WriteByte('\n')
			}
			continue
		}
		indent, counter := m[1], m[2]
		end := i + 1
		for end < len(lines) && lines[end] != indent+"}" {
			end++
		}
		if end == len(lines) || m[3] != counter || m[5] != counter {
			panic("shaders: malformed loop to unroll: " + lines[i]) // a bug in this package, found by its tests
		}
		body := strings.Join(lines[i+1:end], "\n")
		name := regexp.MustCompile(`\b` + counter + `\b`)
		for v := range constU32(text, m[4]) {
			copied := name.ReplaceAllLiteralString(body, fmt.Sprintf("%du", v))
			fmt.Fprintf(&out, "%s{\n%s\n%s}\n", indent, copied, indent)
		}
		i = end
	}
	if s := out.String(); s != text {
		return unrollInner(s)
	}
	return text
}

// unrollInner unrolls what unrolling an outer loop has multiplied.
func unrollInner(text string) string {
	if strings.Contains(text, "// unroll\n") {
		return unroll(text)
	}
	return text
}

// constU32 returns the value of a literal (4u) or of the constant of that name.
func constU32(text, name string) int {
	if text := literalU32(name); text >= 0 {
		return text
	}
	m := regexp.MustCompile(`(?m)^const ` + name + ` = (\w+);`).FindStringSubmatch(text)
	if m == nil || literalU32(m[1]) < 0 {
		panic("shaders: no unsigned constant " + name) // a bug in this package, found by its tests
	}
	return literalU32(m[1])
}

func literalU32(s string) int {
	v, err := strconv.Atoi(strings.TrimSuffix(s, "u"))
	if err != nil || !strings.HasSuffix(s, "u") {
		return -1
	}
	return v
}
