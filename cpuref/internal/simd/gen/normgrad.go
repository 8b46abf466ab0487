package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// normGrads writes the loops of the gradients of normalizations.
func normGrads(g *gen) {
	gradSums(g, false)
	gradSums(g, true)
	nearSums(g, false)
	nearSums(g, true)
	scaleSums(g)
	gradApply(g, false)
	gradApply(g, true)
	widenAdd(g)
}

// gradSums writes the four sums that the gradient of a normalization takes, in
// float64: two chains of additions for each.
func gradSums(g *gen, weighted bool) {
	name, sig, of := "gradSums"+g.w.name, "func(out *float64, dy, x *float32, n int, mean float64)", "dy"
	if weighted {
		name, sig, of = "gradSumsOf"+g.w.name, "func(out *float64, dy, x, w *float32, n int, mean float64)", "dy*w"
	}
	g.fn(name, sig, name+" sets out to the sums of d, d*(x-mean), x-mean and (x-mean)^2, where d is "+of+"; n is a multiple of 16.")
	out, dy, x := g.arg("out"), g.arg("dy"), g.arg("x")
	var w reg.GPVirtual
	if weighted {
		w = g.arg("w")
	}
	n := g.arg("n")
	mean := g.new()
	g.VBROADCASTSD(g.place("mean"), mean)
	var acc [4][2]V
	for i := range acc {
		for j := range acc[i] {
			acc[i][j] = g.new()
			g.VXORPS(acc[i][j], acc[i][j], acc[i][j])
		}
	}
	half := 2 * g.w.lanes // bytes of floats that fill a vector of doubles
	loop, done := g.label("gradsum"), g.label("gradsumdone")
	g.SUBQ(operand.I8(16), n)
	g.JLT(operand.LabelRef(done))
	g.Label(loop)
	for _, p := range []reg.GPVirtual{dy, x} {
		g.PREFETCHT0(operand.Mem{Base: p, Disp: sumAhead})
	}
	for i := range 64 / half {
		d, z := g.new(), g.new()
		if weighted {
			var f reg.VecVirtual = g.XMM()
			if g.wide() {
				f = g.YMM()
			}
			g.VMOVUPS(operand.Mem{Base: dy, Disp: half * i}, f)
			g.VMULPS(operand.Mem{Base: w, Disp: half * i}, f, f)
			g.VCVTPS2PD(f, d)
		} else {
			g.VCVTPS2PD(operand.Mem{Base: dy, Disp: half * i}, d)
		}
		g.VCVTPS2PD(operand.Mem{Base: x, Disp: half * i}, z)
		g.VSUBPD(mean, z, z)
		g.VADDPD(d, acc[0][i%2], acc[0][i%2])
		g.VFMADD231PD(d, z, acc[1][i%2])
		g.VADDPD(z, acc[2][i%2], acc[2][i%2])
		g.VFMADD231PD(z, z, acc[3][i%2])
	}
	for _, p := range []reg.GPVirtual{dy, x, w}[:2+b2i(weighted)] {
		g.ADDQ(operand.I8(64), p)
	}
	g.SUBQ(operand.I8(16), n)
	g.JGE(operand.LabelRef(loop))
	g.Label(done)
	for i := range acc {
		g.VADDPD(acc[i][1], acc[i][0], acc[i][0])
		g.VMOVSD(g.foldDoubles(acc[i][0]), operand.Mem{Base: out, Disp: 8 * i})
	}
	g.ret()
}

// nearSums writes the sums of gradSums with deviations from a float32. Sixteen terms
// are added in float32, in chains of four and those pair by pair, before they go into
// sums in float64: a third of the instructions of adding each in float64.
func nearSums(g *gen, weighted bool) {
	name, sig, of := "nearSums"+g.w.name, "func(out *float64, dy, x *float32, n int, k float32, ahead int)", "dy"
	if weighted {
		name, sig, of = "nearSumsOf"+g.w.name, "func(out *float64, dy, x, w *float32, n int, k float32, ahead int)", "dy*w"
	}
	g.fn(name, sig, name+" sets out to the sums of d, d*(x-k), x-k and (x-k)^2, where d is "+of+"; n is a multiple of 32. The memory ahead bytes from dy and x is asked for.")
	out := g.arg("out")
	ptrs := []reg.GPVirtual{g.arg("dy"), g.arg("x")}
	if weighted {
		ptrs = append(ptrs, g.arg("w"))
	}
	n, k := g.arg("n"), g.scalar("k")
	ahead := g.arg("ahead")
	var acc [4]V
	for i := range acc {
		acc[i] = g.new()
		g.VXORPS(acc[i], acc[i], acc[i])
	}
	// vectors adds so many vectors, in two chains for each sum.
	vectors := func(count int) {
		var chain [4][2]V // of d, d*z, z and z*z
		for i := range count {
			if i*g.bytes()%64 == 0 {
				for _, p := range ptrs[:2] {
					g.PREFETCHT0(operand.Mem{Base: p, Index: ahead, Scale: 1, Disp: i * g.bytes()})
				}
			}
			d, z := g.new(), g.new()
			g.VMOVUPS(operand.Mem{Base: ptrs[0], Disp: i * g.bytes()}, d)
			g.VMOVUPS(operand.Mem{Base: ptrs[1], Disp: i * g.bytes()}, z)
			if weighted {
				g.VMULPS(operand.Mem{Base: ptrs[2], Disp: i * g.bytes()}, d, d)
			}
			g.VSUBPS(k, z, z)
			c := i % 2
			if i < 2 {
				chain[1][c], chain[3][c] = g.mul(d, z), g.mul(z, z)
				chain[0][c], chain[2][c] = d, z
				continue
			}
			g.VFMADD231PS(d, z, chain[1][c])
			g.VFMADD231PS(z, z, chain[3][c])
			g.VADDPS(d, chain[0][c], chain[0][c])
			g.VADDPS(z, chain[2][c], chain[2][c])
		}
		for i, c := range chain {
			g.widenChains(c, acc[i])
		}
		for _, p := range ptrs {
			g.ADDQ(operand.I32(int32(count*g.bytes())), p)
		}
	}
	g.inEights("near", n, vectors)
	for i := range acc {
		g.VMOVSD(g.foldDoubles(acc[i]), operand.Mem{Base: out, Disp: 8 * i})
	}
	g.ret()
}

// widenChains adds both chains, pair by pair, to sums in float64.
func (g *gen) widenChains(c [2]V, acc V) {
	v := c[0]
	g.VADDPS(c[1], v, v)
	if g.wide() {
		h := g.YMM()
		g.VEXTRACTF64X4(operand.U8(1), v, h)
		g.VADDPS(h, v.AsY(), v.AsY())
		g.VCVTPS2PD(v.AsY(), v)
	} else {
		h := g.XMM()
		g.VEXTRACTF128(operand.U8(1), v, h)
		g.VADDPS(h, v.AsX(), v.AsX())
		g.VCVTPS2PD(v.AsX(), v)
	}
	g.VADDPD(v, acc, acc)
}

// scaleSums writes the first two sums of nearSums, and dx beside them, so that memory
// is read and written at the same time.
func scaleSums(g *gen) {
	name := "scaleSums" + g.w.name
	g.fn(name, "func(out *float64, dx, dy, x *float32, n int, k, scale float32, nt bool)",
		name+" sets out to the sums of dy and dy*(x-k), and dx to scale*dy; n is a multiple of 32. nt asks for stores past the cache, to whole vectors.")
	out := g.arg("out")
	ptrs := []reg.GPVirtual{g.arg("dy"), g.arg("x"), g.arg("dx")}
	n, k, scale := g.arg("n"), g.scalar("k"), g.scalar("scale")
	kind := g.GP64() // 0, 1 with nt
	nt := g.Load(g.Param("nt"), g.GP8()).(reg.GPVirtual)
	g.MOVBQZX(nt, kind)
	var acc [2]V
	for i := range acc {
		acc[i] = g.new()
		g.VXORPS(acc[i], acc[i], acc[i])
	}
	g.inEights("scale", n, func(count int) {
		var chain [2][2]V // of d and d*z
		var scaled []V
		for i := range count {
			d, z := g.new(), g.new()
			g.VMOVUPS(operand.Mem{Base: ptrs[0], Disp: i * g.bytes()}, d)
			g.VMOVUPS(operand.Mem{Base: ptrs[1], Disp: i * g.bytes()}, z)
			scaled = append(scaled, g.mul(d, scale))
			g.VSUBPS(k, z, z)
			c := i % 2
			if i < 2 {
				chain[0][c], chain[1][c] = d, g.mul(d, z)
				continue
			}
			g.VFMADD231PS(d, z, chain[1][c])
			g.VADDPS(d, chain[0][c], chain[0][c])
			if len(scaled) == 4 {
				g.storeAll(scaled, ptrs[2], (i-3)*g.bytes(), kind)
				scaled = nil
			}
		}
		if len(scaled) > 0 {
			g.storeAll(scaled, ptrs[2], 0, kind)
		}
		for i, c := range chain {
			g.widenChains(c, acc[i])
		}
		for _, p := range ptrs {
			g.ADDQ(operand.I32(int32(count*g.bytes())), p)
		}
	})
	fenced := g.label("scalefenced")
	g.TESTQ(kind, kind)
	g.JZ(operand.LabelRef(fenced))
	g.SFENCE()
	g.Label(fenced)
	for i := range acc {
		g.VMOVSD(g.foldDoubles(acc[i]), operand.Mem{Base: out, Disp: 8 * i})
	}
	g.ret()
}

// storeAll stores vectors side by side, past the cache where kind is not 0.
func (g *gen) storeAll(vs []V, p reg.GPVirtual, at int, kind reg.GPVirtual) {
	plain, stored := g.label("plain"), g.label("stored")
	g.TESTQ(kind, kind)
	g.JZ(operand.LabelRef(plain))
	for i, v := range vs {
		g.VMOVNTPS(v, operand.Mem{Base: p, Disp: at + i*g.bytes()})
	}
	g.JMP(operand.LabelRef(stored))
	g.Label(plain)
	for i, v := range vs {
		g.VMOVUPS(v, operand.Mem{Base: p, Disp: at + i*g.bytes()})
	}
	g.Label(stored)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// foldDoubles returns the sum of the doubles in v, which it overwrites.
func (g *gen) foldDoubles(v V) reg.Register {
	if g.wide() {
		h := g.YMM()
		g.VEXTRACTF64X4(operand.U8(1), v, h)
		g.VADDPD(h, v.AsY(), v.AsY())
	}
	h := g.XMM()
	g.VEXTRACTF128(operand.U8(1), v.AsY(), h)
	g.VADDPD(h, v.AsX(), v.AsX())
	g.VHADDPD(v.AsX(), v.AsX(), v.AsX())
	return v.AsX()
}

// gradApply writes dx = k*dy + ((x - a)*b + c), without a weight, or that of
// dy*w with the sums of dy and dy*xhat over the rows that it is called for. All is
// loaded before anything is stored: rows often lie whole pages apart, and a load
// waits for a store before it to the same place of another page.
func gradApply(g *gen, weighted bool) {
	name, sig, doc := "gradApply"+g.w.name, "func(dx, dy, x *float32, n int, a, b, c, k float32, ahead int, nt bool)",
		" sets dx = k*dy + ((x - a)*b + c), and asks for the memory ahead bytes from x and dy; nt asks for stores of dx past the cache, to whole vectors."
	if weighted {
		name, sig, doc = "gradApplyOf"+g.w.name, "func(dx, dy, x, w, product, sum *float32, n int, a, b, c, k, inv, rest float32, ahead int, nt bool)",
			" sets dx = k*dy*w + ((x - a)*b + c), and adds dy*((x - a)*inv + rest) to product and dy to sum; ahead and nt as of gradApply."
	}
	g.fn(name, sig, name+doc)
	ptrs := []reg.GPVirtual{g.arg("dx"), g.arg("dy"), g.arg("x")}
	if weighted {
		ptrs = append(ptrs, g.arg("w"), g.arg("product"), g.arg("sum"))
	}
	n := g.arg("n")
	a, b, c, k := g.scalar("a"), g.scalar("b"), g.scalar("c"), g.scalar("k")
	ahead := g.arg("ahead")
	kind := g.GP64() // 0, 1 with nt
	var inv, rest V
	if weighted {
		inv, rest = g.scalar("inv"), g.scalar("rest")
	}
	nt := g.Load(g.Param("nt"), g.GP8()).(reg.GPVirtual)
	g.MOVBQZX(nt, kind)
	L := g.w.lanes
	mem := func(i int) operand.Mem { return operand.Mem{Base: ptrs[i]} }
	// step handles one vector: load and store are whole or under a mask.
	step := func(load func(m operand.Mem, v V), store func(v V, m operand.Mem, out bool)) {
		d, z := g.new(), g.new()
		load(mem(1), d)
		load(mem(2), z)
		g.VSUBPS(a, z, z)
		y := g.new()
		g.VMOVAPS(c, y)
		g.VFMADD231PS(z, b, y)
		if !weighted {
			g.VFMADD231PS(d, k, y)
			store(y, mem(0), true)
			return
		}
		t, product, sum := g.new(), g.new(), g.new()
		load(mem(3), t)
		load(mem(4), product)
		load(mem(5), sum)
		g.VMULPS(d, t, t)
		g.VFMADD231PS(t, k, y)
		g.VFMADD213PS(rest, inv, z)
		g.VFMADD231PS(d, z, product)
		g.VADDPS(d, sum, sum)
		store(y, mem(0), true)
		store(product, mem(4), false)
		store(sum, mem(5), false)
	}
	loop, tail, end := g.label("grad"), g.label("gradtail"), g.label("gradend")
	g.SUBQ(operand.I8(int8(L)), n)
	g.JLT(operand.LabelRef(tail))
	g.Label(loop)
	for _, p := range ptrs[1:3] {
		g.PREFETCHT1(operand.Mem{Base: p, Index: ahead, Scale: 1})
	}
	step(func(m operand.Mem, v V) { g.VMOVUPS(m, v) }, func(v V, m operand.Mem, out bool) {
		if !out {
			g.VMOVUPS(v, m)
			return
		}
		plain, stored := g.label("gradplain"), g.label("gradstored")
		g.TESTQ(kind, kind)
		g.JZ(operand.LabelRef(plain))
		g.VMOVNTPS(v, m)
		g.JMP(operand.LabelRef(stored))
		g.Label(plain)
		g.VMOVUPS(v, m)
		g.Label(stored)
	})
	for _, p := range ptrs {
		g.ADDQ(operand.I8(int8(4*L)), p)
	}
	g.SUBQ(operand.I8(int8(L)), n)
	g.JGE(operand.LabelRef(loop))
	g.Label(tail)
	g.ADDQ(operand.I8(int8(L)), n)
	g.JZ(operand.LabelRef(end))
	mask := g.tailMask(n)
	step(func(m operand.Mem, v V) { g.maskedLoad(m, mask, v) }, func(v V, m operand.Mem, _ bool) { g.maskedStore(v, mask, m) })
	g.Label(end)
	fenced := g.label("gradfenced")
	g.TESTQ(kind, kind)
	g.JZ(operand.LabelRef(fenced))
	g.SFENCE()
	g.Label(fenced)
	g.ret()
}

// widenAdd writes the addition of floats to doubles.
func widenAdd(g *gen) {
	name := "widenAdd" + g.w.name
	g.fn(name, "func(acc *float64, x *float32, n int)", name+" adds x to acc and clears x; n is a multiple of 16.")
	acc, x, n := g.arg("acc"), g.arg("x"), g.arg("n")
	half := 2 * g.w.lanes
	zero := g.new()
	g.VXORPS(zero, zero, zero)
	loop, end := g.label("widen"), g.label("widenend")
	g.TESTQ(n, n)
	g.JZ(operand.LabelRef(end))
	g.Label(loop)
	for i := range 64 / half {
		v := g.new()
		g.VCVTPS2PD(operand.Mem{Base: x, Disp: half * i}, v)
		g.VADDPD(operand.Mem{Base: acc, Disp: 2 * half * i}, v, v)
		g.VMOVUPD(v, operand.Mem{Base: acc, Disp: 2 * half * i})
	}
	for i := range 16 / g.w.lanes {
		g.VMOVUPS(zero, operand.Mem{Base: x, Disp: g.bytes() * i})
	}
	g.ADDQ(operand.I8(64), x)
	g.SUBQ(operand.I8(-128), acc)
	g.SUBQ(operand.I8(16), n)
	g.JNZ(operand.LabelRef(loop))
	g.Label(end)
	g.ret()
}
