package shaders

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// edit is one specialisation of a shader's text.
type edit func(text string) string

// setConst replaces the value of the module-scope constant `const name = ...;`.
func setConst(name, value string) edit {
	return func(text string) string {
		start := strings.Index(text, "\nconst "+name+" ")
		if start < 0 {
			panic(fmt.Sprintf("shaders: no constant %s", name)) // a bug in this package, found by its tests
		}
		eq := start + strings.Index(text[start:], "=")
		end := start + strings.Index(text[start:], ";")
		return text[:eq] + "= " + value + text[end:]
	}
}

// setU32 sets an unsigned constant.
func setU32(name string, v int) edit { return setConst(name, fmt.Sprintf("%du", v)) }

// setBool sets a boolean constant.
func setBool(name string, v bool) edit { return setConst(name, fmt.Sprint(v)) }

// swap replaces the text between "// swap: name" and "// end swap".
func swap(name, body string) edit {
	return func(text string) string {
		open := "// swap: " + name + "\n"
		start := strings.Index(text, open)
		if start < 0 {
			panic(fmt.Sprintf("shaders: no swappable function %s", name)) // a bug in this package, found by its tests
		}
		end := start + strings.Index(text[start:], "// end swap")
		return text[:start+len(open)] + body + "\n" + text[end:]
	}
}

// specialise applies edits to a shader's text.
func specialise(text string, edits ...edit) string {
	for _, e := range edits {
		text = e(text)
	}
	return text
}

// unroll writes out the loops that are marked, on the line before, by
// "// unroll": `for (var i = 0u; i < COUNT; i++) { ... }` becomes COUNT copies of
// its body with the number for i. COUNT is a product of numbers and of constants
// of the text, so unroll comes after the edits that set them. Compilers differ
// in what they unroll, and an array that is indexed by a loop's variable lies in
// memory rather than in registers where they do not.
func unroll(text string) string {
	for {
		at := unrollMark.FindStringSubmatchIndex(text)
		if at == nil {
			return text
		}
		variable, count := text[at[2]:at[3]], text[at[4]:at[5]]
		body := at[1]
		end := body
		for depth := 1; depth > 0; end++ {
			switch text[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
		}
		name := regexp.MustCompile(`\b` + variable + `\b`)
		var s strings.Builder
		for i := range constProduct(text, count) {
			s.WriteString("{" + name.ReplaceAllString(text[body:end-1], fmt.Sprintf("%du", i)) + "}\n")
		}
		text = text[:at[0]] + s.String() + text[end:]
	}
}

var unrollMark = regexp.MustCompile(`// unroll\n\s*for \(var (\w+) = 0u; \w+ < ([^;]+); \w+\+\+\) \{`)

// constProduct evaluates a product of numbers and of the text's constants.
func constProduct(text, expr string) int {
	product := 1
	for factor := range strings.SplitSeq(expr, "*") {
		factor = strings.TrimSpace(factor)
		if m := regexp.MustCompile(`\nconst ` + factor + ` = (\d+u);`).FindStringSubmatch(text); m != nil {
			factor = m[1]
		}
		n, err := strconv.Atoi(strings.TrimSuffix(factor, "u"))
		if err != nil {
			panic("shaders: no number of rounds in " + expr) // a bug in this package, found by its tests
		}
		product *= n
	}
	return product
}
