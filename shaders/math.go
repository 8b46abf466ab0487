package shaders

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/kansu-dev/kansu/spec"
)

//go:embed math.wgsl
var mathWGSL string

// mathItem is one function or constant of math.wgsl.
type mathItem struct {
	name string
	text string   // with the comment above it
	uses []string // names in it that math.wgsl defines, its own excepted
}

var (
	mathName    = regexp.MustCompile(`\b[kK]_[A-Za-z0-9_]+\b`)
	lineComment = regexp.MustCompile(`//.*`)
)

// mathItems splits math.wgsl at its top-level declarations, in file order. A
// paragraph of the file is a comment, declarations, or one below the other.
var mathItems = sync.OnceValue(func() []mathItem {
	var items []mathItem
	var comment, text strings.Builder
	name := ""
	for line := range strings.Lines(mathWGSL + "\n" + mathGradWGSL) {
		switch {
		case name != "": // inside a function
			text.WriteString(line)
		case strings.HasPrefix(line, "//"):
			comment.WriteString(line)
			continue
		case strings.HasPrefix(line, "fn ") || strings.HasPrefix(line, "const "):
			name = mathName.FindString(line)
			text.WriteString(comment.String() + line)
			comment.Reset()
		default: // an empty line: the comment above it was a heading
			comment.Reset()
			continue
		}
		last := strings.TrimRight(line, "\n")
		if strings.HasPrefix(last, "const ") || strings.HasPrefix(last, "fn ") && strings.HasSuffix(last, "}") || last == "}" {
			items = append(items, mathItem{name: name, text: text.String()})
			text.Reset()
			name = ""
		}
	}
	for i := range items {
		seen := map[string]bool{items[i].name: true}
		for _, n := range mathName.FindAllString(lineComment.ReplaceAllString(items[i].text, ""), -1) {
			if !seen[n] {
				seen[n] = true
				items[i].uses = append(items[i].uses, n)
			}
		}
	}
	return items
})

// MathSource returns the text of the named functions of math.wgsl ("k_exp") and
// of all that they use, in the order of the file. A kernel that has an
// activation as well takes both from one call of ActivationSource, since WGSL
// refuses a second declaration of the same name.
func MathSource(names ...string) string {
	items := mathItems()
	index := map[string]int{}
	for i, it := range items {
		index[it.name] = i
	}
	want := make([]bool, len(items))
	var take func(name string)
	take = func(name string) {
		i, ok := index[name]
		if !ok {
			panic(fmt.Sprintf("shaders: math.wgsl has no %s", name)) // a bug in this package, found by its tests
		}
		if want[i] {
			return
		}
		want[i] = true
		for _, used := range items[i].uses {
			take(used)
		}
	}
	for _, n := range names {
		take(n)
	}
	var s strings.Builder
	for i, it := range items {
		if want[i] {
			s.WriteString(it.text)
		}
	}
	return s.String()
}

// ActivationSource returns WGSL that defines
//
//	fn NAME(x: f32, a: f32, b: f32) -> f32
//
// as the pointwise function a.Func, with all that it uses of math.wgsl and the
// functions of math.wgsl that the kernel wants besides. The parameters A and B
// come at run time, so that kernels differ by function only; a.A and a.B are not
// looked at.
func ActivationSource(name string, a spec.Activation, more ...string) string {
	f := "k_" + a.Func.String()
	args := []string{"x", "x, a", "x, a, b"}[a.Func.Params()]
	return MathSource(append([]string{f}, more...)...) +
		fmt.Sprintf("fn %s(x: f32, a: f32, b: f32) -> f32 { return %s(%s); }\n", name, f, args)
}
