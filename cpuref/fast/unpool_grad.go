package fast

import (
	"math"

	"github.com/kansu-dev/kansu/cpuref/internal/simd"
	"github.com/kansu-dev/kansu/spec"
)

// UnpoolGrad computes the gradient of a max unpooling; see cpuref.UnpoolGrad.
// Indices that max pooling gave, each in its value's own window, have no place in
// common where windows do not overlap: such a plane is but gathered.
func UnpoolGrad(dx, dy []float32, idx []int32, g spec.Unpool) {
	in, out := g.InSize(), g.OutSize()
	windows := unpoolWindows(&g)
	planes(g.Planes(), 0.3*float64(len(dy))+float64(len(dx)), func(low, high int) {
		var taken []uint8 // where it is round
		round := uint8(0)
		for p := low; p < high; p++ {
			to, from, places := dx[p*in:][:in], dy[p*out:][:out], idx[p*in:][:in]
			if windows != nil && gatherPlane(to, from, places, windows) {
				continue
			}
			if taken == nil {
				taken = make([]uint8, out)
			}
			if round++; round == 0 { // each plane has a mark of its own, as long as they last
				clear(taken)
				round = 1
			}
			next := min(p+1, high-1)
			unpoolGrad(to, from, dy[next*out:][:out], places, taken, round)
		}
	})
}

// unpoolWindows returns which value's window each place of a plane lies in, -1 for
// none, or nil where windows overlap or planes are too few to pay for it.
func unpoolWindows(g *spec.Unpool) []int32 {
	const few = 8
	if g.Planes() < few {
		return nil
	}
	for axis := range 3 {
		if g.Kernel[axis] > g.Stride[axis] && g.In[axis] > 1 {
			return nil
		}
	}
	along := func(axis, place int) int {
		place += g.PadBegin[axis]
		i := place / g.Stride[axis]
		if i >= g.In[axis] || place-i*g.Stride[axis] >= g.Kernel[axis] {
			return -1
		}
		return i
	}
	windows := make([]int32, 0, g.OutSize())
	for z := range g.Out[0] {
		for y := range g.Out[1] {
			for x := range g.Out[2] {
				i, j, k := along(0, z), along(1, y), along(2, x)
				if min(i, j, k) < 0 {
					windows = append(windows, -1)
				} else {
					windows = append(windows, int32((i*g.In[1]+j)*g.In[2]+k))
				}
			}
		}
	}
	return windows
}

// gatherPlane is gatherOwn piece by piece: what lies further on is asked for, as the
// places stay near the windows.
func gatherPlane(to, from []float32, places, windows []int32) bool {
	const piece, ahead = 64, 2048
	for i := 0; i < len(places); i += piece {
		end := min(i+piece, len(places))
		next := from[min(i*len(from)/len(places)+ahead, len(from)):]
		simd.Prefetch(next[:min(len(next), piece*len(from)/len(places))])
		if !gatherOwn(to[i:end], from, places[i:end], windows, i) {
			return false
		}
	}
	return true
}

// gatherOwn handles a plane whose places lie each in its own window, or nowhere. It
// reports false where one does not.
//
//go:noinline
func gatherOwn(to, from []float32, places, windows []int32, first int) bool {
	to, from = to[:len(places)], from[:len(windows)]
	for i, j := range places {
		if uint(j) >= uint(len(windows)) {
			to[i] = 0
			continue
		}
		if windows[j] != int32(first+i) {
			return false
		}
		to[i] = from[j]
	}
	return true
}

// unpoolGrad handles one plane of any places. Of several values at one place the last
// stays, so that the plane is gone through from its end: a place that has been taken
// is lost for those before. The places are in no order that the processor could read
// ahead in, so the next plane is read along with it, which brings that into the
// cache.
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
