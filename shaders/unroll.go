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

// unroll replaces every marked loop by one block for each value of its counter.
// The limit is a literal or a module constant, so unroll comes after the edits
// that set constants. A loop ends at the first line that is a closing brace with
// the indentation of its head.
//
// Indices that have become constant are written as one number: a text with many
// is shorter by half for it, and no compiler has to find out.
func unroll(text string) string {
	unrolled := strings.Join(unrollLines(nil, strings.Split(text, "\n"), text), "\n")
	values := map[string]int{}
	for _, m := range constLine.FindAllStringSubmatch(text, -1) {
		values[m[1]] = literalU32(m[2])
	}
	return constIndex.ReplaceAllStringFunc(unrolled, func(index string) string {
		e := folder{text: index[1 : len(index)-1], values: values}
		if v := e.sum(); !e.failed && e.text == "" {
			return fmt.Sprintf("[%du]", v)
		}
		return index
	})
}

var (
	constLine  = regexp.MustCompile(`(?m)^const (\w+) = (\d+u);`)
	constIndex = regexp.MustCompile(`\[[0-9A-Zu_+*/% ()]+\]`)
)

// unrollLines appends lines, unrolled, to out. text has the constants.
func unrollLines(out, lines []string, text string) []string {
	for i := 0; i < len(lines); i++ {
		if !strings.HasSuffix(lines[i], " // unroll") {
			out = append(out, lines[i])
			continue
		}
		m := unrollHead.FindStringSubmatch(lines[i])
		if m == nil || m[3] != m[2] || m[5] != m[2] {
			panic("shaders: malformed loop to unroll: " + lines[i]) // a bug in this package, found by its tests
		}
		indent, counter := m[1], m[2]
		end := i + 1
		for end < len(lines) && lines[end] != indent+"}" {
			end++
		}
		if end == len(lines) {
			panic("shaders: no end of the loop to unroll: " + lines[i]) // likewise
		}
		// The loops inside first, so that they are parsed once.
		body := strings.Join(unrollLines(nil, lines[i+1:end], text), "\n")
		for v := range constU32(text, m[4]) {
			out = append(out, indent+"{")
			out = append(out, strings.Split(replaceWord(body, counter, fmt.Sprintf("%du", v)), "\n")...)
			out = append(out, indent+"}")
		}
		i = end
	}
	return out
}

// replaceWord replaces an identifier wherever it stands alone.
func replaceWord(text, name, by string) string {
	var out strings.Builder
	out.Grow(len(text) + len(text)/8)
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			out.WriteString(text[at:])
			return out.String()
		}
		start, end := at+i, at+i+len(name)
		out.WriteString(text[at:start])
		if start > 0 && wordByte(text[start-1]) || end < len(text) && wordByte(text[end]) {
			out.WriteString(name)
		} else {
			out.WriteString(by)
		}
		at = end
	}
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// constU32 returns the value of a literal (4u) or of the constant of that name.
func constU32(text, name string) int {
	if v := literalU32(name); v >= 0 {
		return v
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

// folder evaluates an expression of unsigned literals and constants.
type folder struct {
	text   string // what is left to read
	values map[string]int
	failed bool
}

// next reads one of the operators, and reports which; 0 where there is none.
func (f *folder) next(operators string) byte {
	f.text = strings.TrimLeft(f.text, " ")
	if f.text == "" || !strings.Contains(operators, f.text[:1]) {
		return 0
	}
	op := f.text[0]
	f.text = f.text[1:]
	return op
}

func (f *folder) sum() int {
	v := f.product()
	for f.next("+") != 0 {
		v += f.product()
	}
	f.text = strings.TrimLeft(f.text, " ")
	return v
}

func (f *folder) product() int {
	v := f.value()
	for {
		op := f.next("*/%")
		if op == 0 {
			return v
		}
		w := f.value()
		switch {
		case op == '*':
			v *= w
		case w == 0:
			f.failed = true
			return 0
		case op == '/':
			v /= w
		default:
			v %= w
		}
	}
}

func (f *folder) value() int {
	if f.next("(") != 0 {
		v := f.sum()
		if f.next(")") == 0 {
			f.failed = true
		}
		return v
	}
	f.text = strings.TrimLeft(f.text, " ")
	n := 0
	for n < len(f.text) && wordByte(f.text[n]) {
		n++
	}
	word := f.text[:n]
	f.text = f.text[n:]
	v := literalU32(word)
	if v < 0 {
		known := false
		if v, known = f.values[word]; !known || v < 0 {
			f.failed = true
		}
	}
	return v
}
