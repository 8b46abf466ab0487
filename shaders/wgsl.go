package shaders

import (
	"fmt"
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
