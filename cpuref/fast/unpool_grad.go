package fast

import (
	"math"

	"github.com/kansu-dev/kansu/spec"
)

// UnpoolGrad computes the gradient of a max unpooling; see cpuref.UnpoolGrad. Of
// several values at one place the last stays, so that the plane is gone through
// from its end: a place that has been taken is lost for those before.
func UnpoolGrad(dx, dy []float32, idx []int32, g spec.Unpool) {
	in, out := g.InSize(), g.OutSize()
	planes(g.Planes(), 0.3*float64(len(dy))+float64(len(dx)), func(low, high int) {
		taken := make([]uint8, out) // where it is round
		for p, round := low, uint8(1); p < high; p, round = p+1, round+1 {
			if round == 0 { // each plane has a mark of its own, as long as they last
				clear(taken)
				round = 1
			}
			next := min(p+1, high-1)
			unpoolGrad(dx[p*in:][:in], dy[p*out:][:out], dy[next*out:][:out], idx[p*in:][:in], taken, round)
		}
	})
}

// unpoolGrad handles one plane. The places are in no order that the processor
// could read ahead in, so the next plane is read along with it, which brings that
// into the cache.
//
//go:noinline
func unpoolGrad(to, from, next []float32, places []int32, taken []uint8, round uint8) (read float32) {
	to, from = to[:len(places)], from[:len(taken)]
	step := len(next) / len(places)
	for i := len(places) - 1; i >= 0; i-- {
		read += next[(len(places)-1-i)*step]
		j := uint(places[i])
		if j >= uint(len(taken)) {
			to[i] = 0
			continue
		}
		free := uint32(taken[j] ^ round) // 0 where it is not: a branch would be a coin toss
		taken[j] = round
		to[i] = math.Float32frombits(math.Float32bits(from[j]) & uint32(-int32(free)>>31))
	}
	return read
}
