package shaders

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kansu-dev/kansu/spec"
)

// TableVersion is the version of the format, and of the shape classes in it. It
// goes up when either changes, so that an old table is refused, not misread.
const TableVersion = 1

// Table says for one device which kernel was the fastest for a class of shapes,
// where that is not the one that the models would choose. `kansu tune` measures
// and writes it; nothing is ever measured in a program that uses the library.
// A table must not be changed once a Device has it.
type Table struct {
	Version int          `json:"version"` // TableVersion
	Device  string       `json:"device"`  // a part of the adapter's name: the devices that it is for
	Adapter string       `json:"adapter"` // the whole name, where it was measured
	Driver  string       `json:"driver"`
	Library string       `json:"library"` // the commit that measured
	Date    string       `json:"date"`    // year-month-day
	Entries []TableEntry `json:"entries"`

	index map[tableKey]int // into Entries
}

// TableEntry is the choice for one class of shapes of one function.
type TableEntry struct {
	Function string  `json:"function"` // as in Plan.Function
	Class    string  `json:"class"`    // as in Plan.Class
	Kernel   string  `json:"kernel"`   // as in Plan.Variant
	Gain     float64 `json:"gain"`     // how many times as fast as the model's choice it was
}

type tableKey struct{ function, class string }

// NewTable returns a table of these entries for a device. It returns ErrParam
// where an entry names a function or kernel that does not exist, or comes twice.
func NewTable(head Table, entries []TableEntry) (*Table, error) {
	t := head
	t.Version = TableVersion
	t.Entries = slices.Clone(entries)
	return &t, t.prepare()
}

// ParseTable reads a table that Table.Bytes wrote. It returns ErrParam where the
// text is damaged, of another version, or names an unknown function or kernel.
func ParseTable(raw []byte) (*Table, error) {
	var head struct{ Version int }
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, tableErr("it is damaged: %v", err)
	}
	if head.Version != TableVersion {
		return nil, tableErr("it has version %d, and this library reads version %d: measure again with kansu tune", head.Version, TableVersion)
	}
	var t Table
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return nil, tableErr("it is damaged: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, tableErr("it is damaged: something follows its end")
	}
	return &t, t.prepare()
}

func tableErr(format string, args ...any) error {
	return &spec.Error{Kind: spec.ErrParam, Message: "table of kernels: " + fmt.Sprintf(format, args...)}
}

// prepare sorts and checks the entries and makes them findable.
func (t *Table) prepare() error {
	if t.Device == "" {
		return tableErr("it names no device")
	}
	slices.SortStableFunc(t.Entries, func(a, b TableEntry) int {
		return cmp.Or(strings.Compare(a.Function, b.Function), strings.Compare(a.Class, b.Class))
	})
	t.index = make(map[tableKey]int, len(t.Entries))
	known := Tunable()
	for i, e := range t.Entries {
		kernels, ok := known[e.Function]
		switch key := (tableKey{e.Function, e.Class}); {
		case !ok:
			return tableErr("function %q has no choice among kernels", e.Function)
		case !slices.Contains(kernels, e.Kernel):
			return tableErr("function %q has no kernel %q; there are %s", e.Function, e.Kernel, strings.Join(kernels, ", "))
		case e.Class == "":
			return tableErr("an entry of function %q names no class of shapes", e.Function)
		case !(e.Gain > 0):
			return tableErr("the gain of %s %q is %v", e.Function, e.Class, e.Gain)
		default:
			if _, twice := t.index[key]; twice {
				return tableErr("%s %q comes twice", e.Function, e.Class)
			}
			t.index[key] = i
		}
	}
	return nil
}

// Bytes returns the table's text: JSON, sorted, one line for an entry, the same
// bytes for the same contents.
func (t *Table) Bytes() ([]byte, error) {
	head := *t
	head.Entries = nil
	raw, err := json.MarshalIndent(&head, "", "  ")
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(bytes.TrimSuffix(raw, []byte("null\n}")))
	out.WriteString("[")
	for i, e := range t.Entries {
		line, err := marshalPlain(e)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteString(",")
		}
		out.WriteString("\n    ")
		out.Write(line)
	}
	if len(t.Entries) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteString("]\n}\n")
	return out.Bytes(), nil
}

// marshalPlain is json.Marshal without the escapes for HTML.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// Matches reports whether the table is for an adapter of this name.
func (t *Table) Matches(adapter string) bool {
	return strings.Contains(strings.ToLower(adapter), strings.ToLower(t.Device))
}

// Lookup returns the entry for a class of shapes of a function.
func (t *Table) Lookup(function, class string) (TableEntry, bool) {
	if t == nil {
		return TableEntry{}, false
	}
	i, ok := t.index[tableKey{function, class}]
	if !ok {
		return TableEntry{}, false
	}
	return t.Entries[i], true
}

// DeviceKey returns the part of an adapter's name that a table for it goes by:
// all of it, but for the version of the compiler that Mesa appends.
func DeviceKey(adapter string) string {
	before, _, _ := strings.Cut(adapter, " (LLVM")
	return before
}
