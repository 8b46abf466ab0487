package simd

// WinogradProduct multiplies transformed tiles with transformed weights, for some
// of the 36 points p, in L = WinogradLanes() lanes:
//
//	M[p][tile][k] = sum over c of V[c/L][p][tile][c%L] * U[p][c][k], k < 2L
//
// M, V and U are at the first of these points. Where Add is set, the sums are added
// to those in M. They are taken in chains of Chain times L channels, in rising
// order by fused multiply-adds (in portable Go, by separate ones), and those of a
// chain are added to those of the chains before, so that what comes out does not
// depend on where a tile stands.
type WinogradProduct struct {
	M, V, U *float32
	vGroup  int // bytes from a vector of channels to the next
	vPos    int // bytes from a point to the next
	uPos    int // the same of U
	Groups  int // vectors of channels
	Chain   int // of them to a chain
	panels  int
	Add     int // not 0 where M is added to
	left    int // the kernel's counter of points
	ahead   *float32
	apart   int // bytes
	step    int // bytes from what is fetched with a vector of channels to the next
	Points  int // how many are computed
	UPoint  int // floats from a point of U to the next
}

// Fetch has the next Run ask for memory that is needed soon, a few lines with each
// vector of channels: what is at a, and as much apart floats behind.
func (p *WinogradProduct) Fetch(a *float32, apart int) {
	p.ahead, p.apart, p.step = a, 4*apart, 4*12*WinogradLanes()/4
}

// Run computes n tiles; V and M hold all of them, for each of the 36 points.
func (p *WinogradProduct) Run(n, all int) {
	L := WinogradLanes()
	p.vPos, p.vGroup, p.uPos = 4*all*L, 4*36*all*L, 4*p.UPoint
	most := winogradRowsMost()
	count := (n + most - 1) / most
	// Panels of two heights, the larger first.
	rows, larger := n/count, n%count
	m, v := p.M, p.V
	if p.ahead == nil {
		p.ahead, p.apart, p.step = p.U, 0, 0
	}
	if larger > 0 {
		p.panels, p.left = larger, p.Points
		winogradProduct(p, rows+1)
		p.M, p.V = at(m, larger*(rows+1)*2*L), at(v, larger*(rows+1)*L)
	}
	p.panels, p.left = count-larger, p.Points
	winogradProduct(p, rows)
	p.M, p.V, p.ahead = m, v, nil
}

// portable is the product in plain Go.
func (p *WinogradProduct) portable(rows int) {
	const L = portableLanes
	for point := range p.Points {
		for panel := range p.panels {
			v := at(p.V, p.vPos/4*point+panel*rows*L)
			m := at(p.M, p.vPos/2*point+panel*rows*2*L)
			u := at(p.U, point*p.UPoint)
			add := p.Add != 0
			for g := 0; g < p.Groups; g += p.Chain {
				for half := range 2 {
					var sums [4][L]float32
					for i := g; i < min(g+p.Chain, p.Groups); i++ {
						from, by := at(v, i*p.vGroup/4), at(u, i*L*2*L+half*L)
						for s := range L {
							b := vecAt(by, s*2*L)
							for r := range rows {
								a, c := *at(from, r*L+s), &sums[r]
								c[0] += a * b[0]
								c[1] += a * b[1]
								c[2] += a * b[2]
								c[3] += a * b[3]
								c[4] += a * b[4]
								c[5] += a * b[5]
								c[6] += a * b[6]
								c[7] += a * b[7]
							}
						}
					}
					for r := range rows {
						to := vecAt(m, r*2*L+half*L)
						for l, sum := range sums[r] {
							if add {
								sum += to[l]
							}
							to[l] = sum
						}
					}
				}
				add = true
			}
		}
	}
}
