package main

import "github.com/mmcloughlin/avo/operand"

// chains is how many vectors a multiply-add ceiling keeps in flight: more than
// the instruction's latency times the number of units, and few enough that
// factor, addend and the vectors stay in registers.
const chains = 12

// ceilings writes the loops that measure the processor.
func ceilings(g *gen) {
	name := "multiplyAdd" + g.w.name
	g.fn(name, "func(dst *float32, rounds int, m, c float32)",
		name+" sets each of 12 vectors at dst to m*v + c, rounds times, in registers.")
	dst := g.arg("dst")
	rounds := g.arg("rounds")
	m, c := g.vec(chains), g.vec(chains+1)
	g.VBROADCASTSS(g.place("m"), m)
	g.VBROADCASTSS(g.place("c"), c)
	at := func(i int) operand.Mem { return operand.Mem{Base: dst, Disp: i * g.bytes()} }
	for i := range chains {
		g.VMOVUPS(at(i), g.vec(i))
	}
	loop := g.label("round")
	g.Label(loop)
	for i := range chains {
		g.VFMADD213PS(c, m, g.vec(i))
	}
	g.DECQ(rounds)
	g.JNZ(operand.LabelRef(loop))
	for i := range chains {
		g.VMOVUPS(g.vec(i), at(i))
	}
	g.ret()
}
