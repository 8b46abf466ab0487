package fast

import (
	"github.com/kansu-dev/kansu/cpuref/internal/simd"
)

// gradCols is how many columns are made into rows at a time.
const gradCols = 16

// mostColumn is the longest column that columnGroups keeps in the cache.
const mostColumn = 8 << 10

// columns is run where each element of a run has a group of its own. It reports
// whether it can serve.
func (p *normGradient) columns() bool {
	natural, fixed := true, true // affine elements are numbered as a group's elements; or do not vary in it
	step := 1
	for _, a := range p.averaged {
		natural = natural && a.affine == step
		step *= a.size
		fixed = fixed && a.affine == 0
	}
	for _, a := range p.kept {
		natural = natural && a.affine == 0
	}
	switch natural = natural && p.last.affine == 0; {
	case fixed:
		p.columnLines()
	case natural && !p.given && !p.fixed && p.g.Count <= mostColumn:
		p.columnGroups()
	default:
		return false
	}
	return true
}

// columnGroups makes some columns into rows, and treats them as such.
func (p *normGradient) columnGroups() {
	inner, outer := axis{size: 1}, p.averaged
	if len(outer) > 0 {
		inner, outer = outer[0], outer[1:]
	}
	n := p.g.Count
	p.ownMoments()
	strips := (p.last.size + gradCols - 1) / gradCols
	total := p.sets * strips
	tasks := max(1, min(mostAffineTasks, total*gradCols*n/normTask, 16*mostAffineSums/n))
	per := (total + tasks - 1) / tasks
	sums := make([]*affineSums, (total+per-1)/per)
	ParallelRange(total, per, 2*p.ns(), func(low, high int) {
		t := getScratch(2 * gradCols * n)
		tx, td := t[:gradCols*n], t[gradCols*n:]
		s := newAffineSums(n)
		for i := low; i < high; i++ {
			c := i % strips * gradCols
			cols := min(gradCols, p.last.size-c)
			base, group, _ := at(p.kept, i/strips)
			move := func(f func(rows, x int)) {
				for o := range n / inner.size {
					off, _, _ := at(outer, o)
					f(o*inner.size, base+off+c)
				}
			}
			move(func(row, x int) {
				transposeRows(tx[row:], p.x[x:], n, inner.x, cols, inner.size, inner.size)
				transposeRows(td[row:], p.dy[x:], n, inner.x, cols, inner.size, inner.size)
			})
			for k := range cols {
				p.columnGroup(group+c+k, tx[k*n:][:n], td[k*n:][:n], s)
			}
			move(func(row, x int) { transposeRows(p.y[x:], tx[row:], inner.x, n, inner.size, cols, cols) })
		}
		putScratch(t)
		s.close()
		sums[low/per] = s
	})
	if p.scale != nil {
		p.finishAffine(sums)
	}
	for _, s := range sums {
		s.free()
	}
}

// columnGroup computes the gradient of one group in place of x, and adds to the
// affine sums.
func (p *normGradient) columnGroup(group int, x, dy []float32, s *affineSums) {
	p.pivot(group, x)
	var whole simd.GradSums
	for again := true; again; {
		whole = p.sums(dy, x, p.scale, p.mean[group])
		_, again = p.groupMoments(group, &whole)
	}
	l := p.line(group, whole)
	if p.scale == nil {
		l.Apply(x, dy, x, false)
		return
	}
	l.ApplyAffine(x, dy, x, p.scale, s.product, s.sum, false)
	s.added(1)
}

// columnLines has groups that have one affine element each: sums of all columns,
// chunk by chunk of the rows, and then vectors of coefficients.
func (p *normGradient) columnLines() {
	p.moments()
	nearest(p.mean)
	n := p.last.size
	whole := make([]simd.GradSums, p.sets*n)
	if !p.fixed || p.scale != nil {
		p.columnSums(whole)
	}
	var dscale, dshift []float64
	if p.scale != nil {
		dscale, dshift = make([]float64, p.g.Affine), make([]float64, p.g.Affine)
	}
	lines := make([]simd.NormLine, len(whole))
	for set := range p.sets {
		_, group, affine := at(p.kept, set)
		for i := range n {
			g, a := group+i*p.last.group, affine+i*p.last.affine
			s := whole[set*n+i]
			p.settle(g, &s)
			k := p.inv[g]
			if p.scale != nil {
				dscale[a] += s.Product * p.inv[g]
				dshift[a] += s.D
				w := float64(p.scale[a])
				s.D *= w
				s.Product *= w
				k *= w
			}
			if !p.fixed {
				lines[set*n+i] = p.line(g, s)
			}
			lines[set*n+i].K = float32(k)
		}
	}
	if p.scale != nil {
		narrow(p.dscale, dscale)
		narrow(p.dshift, dshift)
	}
	p.applyColumns(lines)
}

// columnSums computes the sums of each column.
func (p *normGradient) columnSums(whole []simd.GradSums) {
	inner, outer := axis{size: 1}, p.averaged
	if len(outer) > 0 {
		inner, outer = outer[0], outer[1:]
	}
	n := p.last.size
	tall := min(inner.size, max(64, 64<<10/n), momentPiece/4)
	perInner := (inner.size + tall - 1) / tall
	chunks := p.rows / inner.size * perInner // of a set
	parts := make([]simd.GradSums, p.sets*chunks*n)
	ParallelRange(p.sets*chunks, max(1, normTask/(tall*n)), 2*p.ns(), func(low, high int) {
		t := getScratch(2 * gradCols * tall)
		tx, td := t[:gradCols*tall], t[gradCols*tall:]
		for i := low; i < high; i++ {
			set, chunk := i/chunks, i%chunks
			base, group, _ := at(p.kept, set)
			off, _, _ := at(outer, chunk/perInner)
			r := chunk % perInner * tall
			h := min(tall, inner.size-r)
			for c := 0; c < n; c += gradCols {
				cols := min(gradCols, n-c)
				x := base + off + r*inner.x + c
				transposeRows(tx, p.x[x:], tall, inner.x, cols, h, h)
				transposeRows(td, p.dy[x:], tall, inner.x, cols, h, h)
				for k := range cols {
					parts[i*n+c+k] = p.sums(td[k*tall:][:h], tx[k*tall:][:h], nil, p.mean[group+(c+k)*p.last.group])
				}
			}
		}
		putScratch(t)
	})
	ParallelRange(len(whole), 256, 4*float64(len(parts)), func(low, high int) {
		for i := low; i < high; i++ {
			for chunk := range chunks {
				whole[i].Add(parts[(i/n*chunks+chunk)*n+i%n])
			}
		}
	})
}

// applyColumns computes dx given the line of each column of each set.
func (p *normGradient) applyColumns(lines []simd.NormLine) {
	const width = 2048
	n := p.last.size
	strips := (n + width - 1) / width
	wide := min(n, width)
	// Rows that follow one another are one, with the coefficients repeated.
	repeat := 1
	if len(p.averaged) > 0 && p.averaged[0].x == n && strips == 1 {
		repeat = min(width/n, p.averaged[0].size)
		for p.averaged[0].size%repeat != 0 {
			repeat--
		}
	}
	rows := p.rows / repeat
	chunk := max(1, 2*normTask/(wide*repeat))
	chunks := (rows + chunk - 1) / chunk
	Parallel(p.sets*strips*chunks, p.ns(), func(i int) {
		set, strip, first := i/(strips*chunks), i/chunks%strips, i%chunks*chunk
		lo := strip * width
		w := min(n, lo+width) - lo
		m := w * repeat
		buf := getScratch(4 * m)
		a, b, c, k := buf[:m], buf[m:2*m], buf[2*m:3*m], buf[3*m:]
		for j := range m {
			l := &lines[set*n+lo+j%w]
			a[j], b[j], c[j], k[j] = l.A, l.B, l.C, l.K
		}
		for row := first; row < min(rows, first+chunk); row++ {
			x, _, _ := p.normalization.run(set, row*repeat)
			x += lo
			dx, dy := p.y[x:x+m], p.dy[x:x+m]
			if p.fixed {
				simd.BinMul.Apply(dx, dy, k, 0, 0, 0, false)
				continue
			}
			simd.BinSub.Apply(dx, p.x[x:x+m], a, 0, 0, 0, false)
			simd.TerMulAdd.Apply(dx, dx, b, c, 0, 0, 0)
			simd.TerMulAdd.Apply(dx, dy, k, dx, 0, 0, 0)
		}
		putScratch(buf)
	})
}
