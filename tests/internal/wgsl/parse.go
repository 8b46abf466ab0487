// Package wgsl runs scalar WGSL functions in Go, under any arithmetic that the
// WGSL specification permits a device: with fma fused or not, with subnormals
// flushed or not, with divisions as inexact as they may be. It knows the part
// of the language that shaders/math.wgsl uses: f32, i32, u32, bool, vec2<f32>
// and one-dimensional arrays of u32; let, var, assignment, if and return.
package wgsl

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Type is the type of an expression.
type Type uint8

// The types.
const (
	F32 Type = iota
	I32
	U32
	Bool
	Vec2
	Array
)

var typeNames = map[string]Type{"f32": F32, "i32": I32, "u32": U32, "bool": Bool, "vec2": Vec2, "array": Array}

// Value is a scalar in Bits[0], or a vec2 in both.
type Value struct {
	Bits [2]uint32
	list []uint32
}

// Float makes an f32.
func Float(x float32) Value { return Value{Bits: [2]uint32{math.Float32bits(x)}} }

// Float returns an f32.
func (v Value) Float() float32 { return math.Float32frombits(v.Bits[0]) }

type frame []Value

// expr is a compiled expression.
type expr struct {
	typ  Type
	eval func(f frame) Value
}

// stmt runs a statement; done says that it returned.
type stmt func(f frame) (v Value, done bool)

// Function is a compiled function.
type Function struct {
	result Type
	params int
	slots  int
	body   []stmt
}

// Call runs the function.
func (fn *Function) Call(args ...Value) Value {
	f := make(frame, fn.slots)
	copy(f, args)
	v, _ := run(fn.body, f)
	return v
}

func run(body []stmt, f frame) (Value, bool) {
	for _, s := range body {
		if v, done := s(f); done {
			return v, true
		}
	}
	return Value{}, false
}

// Module is a compiled source.
type Module struct {
	functions map[string]*Function
	consts    map[string]expr
	arith     *Arithmetic
}

// Function returns a function of the module, nil where there is none.
func (m *Module) Function(name string) *Function { return m.functions[name] }

var token = regexp.MustCompile(`\s+|//[^\n]*|0x[0-9a-fA-F]*\.?[0-9a-fA-F]*p[-+]?\d+|0x[0-9a-fA-F]+u?|(?:\d+\.\d*|\.\d+)(?:e[-+]?\d+)?|\d+[ui]?|\w+|->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>=!~&|^(){}\[\],;:.]`)

// parser holds the state of compiling one module. It panics with a syntaxError,
// which Compile returns.
type parser struct {
	*Module
	toks  []string
	pos   int
	scope map[string]slot // locals of the function being compiled
	slots int
}

type slot struct {
	index int
	typ   Type
}

type syntaxError string

// Compile compiles a source whose functions are declared before they are used.
func Compile(source string, a *Arithmetic) (m *Module, err error) {
	p := &parser{Module: &Module{functions: map[string]*Function{}, consts: map[string]expr{}, arith: a}}
	defer func() {
		if r := recover(); r != nil {
			s, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			m, err = nil, fmt.Errorf("wgsl: %s", string(s))
		}
	}()
	for rest := source; rest != ""; {
		at := token.FindStringIndex(rest)
		if at == nil || at[0] != 0 {
			p.fail("no token at %.20q", rest)
		}
		t := rest[:at[1]]
		if strings.TrimSpace(t) != "" && !strings.HasPrefix(t, "//") {
			p.toks = append(p.toks, t)
		}
		rest = rest[at[1]:]
	}
	for p.pos < len(p.toks) {
		switch p.next() {
		case "const":
			name := p.next()
			p.expect(":")
			p.typeName()
			p.expect("=")
			v := p.expression()
			p.expect(";")
			value := v.eval(nil)
			p.consts[name] = expr{v.typ, func(frame) Value { return value }}
		case "fn":
			p.function()
		default:
			p.fail("want fn or const")
		}
	}
	return p.Module, nil
}

func (p *parser) fail(format string, args ...any) {
	near := strings.Join(p.toks[max(0, p.pos-8):min(len(p.toks), p.pos+3)], " ")
	panic(syntaxError(fmt.Sprintf(format, args...) + " near: " + near))
}

func (p *parser) peek() string {
	if p.pos < len(p.toks) {
		return p.toks[p.pos]
	}
	return ""
}

func (p *parser) next() string {
	t := p.peek()
	p.pos++
	return t
}

func (p *parser) accept(t string) bool {
	if p.peek() == t {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(t string) {
	if !p.accept(t) {
		p.fail("want %q", t)
	}
}

// typeName reads a type, with its parameters: vec2<f32>, array<u32, 8>.
func (p *parser) typeName() Type {
	t, ok := typeNames[p.next()]
	if !ok {
		p.fail("no such type")
	}
	if p.accept("<") {
		for !p.accept(">") {
			p.next()
		}
	}
	return t
}

func (p *parser) function() {
	name := p.next()
	fn := &Function{}
	p.scope, p.slots = map[string]slot{}, 0
	p.expect("(")
	for !p.accept(")") {
		param := p.next()
		p.expect(":")
		p.declare(param, p.typeName())
		fn.params++
		p.accept(",")
	}
	p.expect("->")
	fn.result = p.typeName()
	fn.body = p.block()
	fn.slots = p.slots
	p.functions[name] = fn
}

func (p *parser) declare(name string, t Type) int {
	p.scope[name] = slot{p.slots, t}
	p.slots++
	return p.slots - 1
}

func (p *parser) block() []stmt {
	var body []stmt
	p.expect("{")
	for !p.accept("}") {
		body = append(body, p.statement())
	}
	return body
}

func (p *parser) statement() stmt {
	switch t := p.next(); t {
	case "let", "var":
		name := p.next()
		p.expect("=")
		v := p.expression()
		p.expect(";")
		i := p.declare(name, v.typ)
		return func(f frame) (Value, bool) { f[i] = v.eval(f); return Value{}, false }
	case "return":
		v := p.expression()
		p.expect(";")
		return func(f frame) (Value, bool) { return v.eval(f), true }
	case "if":
		p.expect("(")
		c := p.expression()
		p.expect(")")
		body := p.block()
		return func(f frame) (Value, bool) {
			if c.eval(f).Bits[0] != 0 {
				return run(body, f)
			}
			return Value{}, false
		}
	default:
		s, ok := p.scope[t]
		if !ok {
			p.fail("%s is not declared", t)
		}
		p.expect("=")
		v := p.expression()
		p.expect(";")
		return func(f frame) (Value, bool) { f[s.index] = v.eval(f); return Value{}, false }
	}
}

// levels are the binary operators, loosest first.
var levels = [][]string{{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}}

func (p *parser) expression() expr { return p.binary(0) }

func (p *parser) binary(level int) expr {
	if level == len(levels) {
		return p.unary()
	}
	left := p.binary(level + 1)
	for {
		op := ""
		for _, o := range levels[level] {
			if p.peek() == o {
				op = o
			}
		}
		if op == "" {
			return left
		}
		p.next()
		right := p.binary(level + 1)
		if op != "<<" && op != ">>" && left.typ != right.typ {
			p.fail("operands of %s have two types", op)
		}
		f := p.arith.operator(op, left.typ)
		if f == nil {
			p.fail("no operator %s", op)
		}
		t := left.typ
		if strings.ContainsAny(op, "=<>") && op != "<<" && op != ">>" {
			t = Bool
		}
		l, r := left.eval, right.eval
		left = expr{t, func(fr frame) Value { return Value{Bits: [2]uint32{f(l(fr).Bits[0], r(fr).Bits[0])}} }}
	}
}

func (p *parser) unary() expr {
	switch op := p.peek(); op {
	case "-", "!", "~":
		p.next()
		e := p.unary()
		f := map[string]func(uint32) uint32{
			"-": func(x uint32) uint32 { return -x },
			"!": func(x uint32) uint32 { return x ^ 1 },
			"~": func(x uint32) uint32 { return ^x },
		}[op]
		if op == "-" && e.typ == F32 {
			f = func(x uint32) uint32 { return x ^ 1<<31 }
		}
		return expr{e.typ, func(fr frame) Value { return Value{Bits: [2]uint32{f(e.eval(fr).Bits[0])}} }}
	}
	e := p.primary()
	for {
		switch {
		case p.accept("."):
			i := strings.Index("xy", p.next())
			v := e.eval
			e = expr{F32, func(f frame) Value { return Value{Bits: [2]uint32{v(f).Bits[i]}} }}
		case p.accept("["):
			at := p.expression()
			p.expect("]")
			v := e.eval
			e = expr{U32, func(f frame) Value { return Value{Bits: [2]uint32{v(f).list[at.eval(f).Bits[0]]}} }}
		default:
			return e
		}
	}
}

func (p *parser) primary() expr {
	t := p.next()
	if t == "(" {
		e := p.expression()
		p.expect(")")
		return e
	}
	if c := t[0]; c >= '0' && c <= '9' || c == '.' {
		return p.literal(t)
	}
	if p.peek() == "(" || t == "bitcast" || t == "vec2" || t == "array" {
		return p.call(t)
	}
	if s, ok := p.scope[t]; ok {
		return expr{s.typ, func(f frame) Value { return f[s.index] }}
	}
	if c, ok := p.consts[t]; ok {
		return c
	}
	p.fail("%s is not declared", t)
	return expr{}
}

func (p *parser) literal(t string) expr {
	v, typ := Value{}, F32
	switch last := t[len(t)-1]; {
	case strings.Contains(t, "p") || strings.Contains(t, "."):
		x, err := strconv.ParseFloat(t, 32)
		if err != nil {
			p.fail("%v", err)
		}
		v = Float(float32(x))
	default:
		typ = I32
		if last == 'u' {
			typ = U32
		}
		n, err := strconv.ParseUint(strings.TrimRight(t, "ui"), 0, 32)
		if err != nil {
			p.fail("%v", err)
		}
		v.Bits[0] = uint32(n)
	}
	return expr{typ, func(frame) Value { return v }}
}

// call compiles a call of a function, of a built-in or of a constructor.
func (p *parser) call(name string) expr {
	result := F32
	if name == "bitcast" || name == "vec2" || name == "array" {
		p.pos--
		if name == "bitcast" {
			p.pos += 2
			result = p.typeName()
			p.expect(">")
		} else {
			result = p.typeName()
		}
	}
	var args []expr
	p.expect("(")
	for !p.accept(")") {
		args = append(args, p.expression())
		p.accept(",")
	}
	if fn, ok := p.functions[name]; ok {
		if len(args) != fn.params {
			p.fail("%s takes %d arguments", name, fn.params)
		}
		return expr{fn.result, func(f frame) Value {
			inner := make(frame, fn.slots)
			for i, a := range args {
				inner[i] = a.eval(f)
			}
			v, _ := run(fn.body, inner)
			return v
		}}
	}
	switch name {
	case "bitcast":
		return expr{result, args[0].eval}
	case "vec2":
		return expr{Vec2, func(f frame) Value {
			return Value{Bits: [2]uint32{args[0].eval(f).Bits[0], args[1].eval(f).Bits[0]}}
		}}
	case "array":
		return expr{Array, func(f frame) Value {
			list := make([]uint32, len(args))
			for i, a := range args {
				list[i] = a.eval(f).Bits[0]
			}
			return Value{list: list}
		}}
	case "select":
		if args[0].typ != args[1].typ || args[2].typ != Bool {
			p.fail("types of select")
		}
		return expr{args[0].typ, func(f frame) Value {
			no, yes := args[0].eval(f), args[1].eval(f)
			if args[2].eval(f).Bits[0] != 0 {
				return yes
			}
			return no
		}}
	}
	result, g := p.arith.builtin(name, args)
	if g == nil {
		p.fail("no function %s", name)
	}
	return expr{result, func(f frame) Value {
		var in [3]uint32
		for i, a := range args {
			in[i] = a.eval(f).Bits[0]
		}
		return Value{Bits: [2]uint32{g(in[0], in[1], in[2])}}
	}}
}
