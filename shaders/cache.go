package shaders

import (
	"strconv"
	"sync"
)

// planCache keeps the plans of calls that were planned before: a network makes
// the same calls again and again, and a plan takes longer to make than to find.
// K is all that a plan depends on.
type planCache[K comparable] struct {
	mu    sync.RWMutex
	plans map[K]Plan
}

// planCacheSize bounds a cache, for programs whose shapes never repeat.
const planCacheSize = 1024

// get returns the plan of a key, making it the first time. Plans are shared:
// their slices are read only.
func (c *planCache[K]) get(key K, plan func() (Plan, error)) (Plan, error) {
	c.mu.RLock()
	p, ok := c.plans[key]
	c.mu.RUnlock()
	if ok {
		return p, nil
	}
	p, err := plan()
	if err != nil {
		return p, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.plans == nil || len(c.plans) >= planCacheSize {
		c.plans = make(map[K]Plan)
	}
	c.plans[key] = p
	return p, nil
}

// bounded counts the kernels of a family whose members are without number.
type bounded struct {
	mu   sync.Mutex
	made int
}

// intern is intern for a family of at most that many members: nil where a new one
// would be too many.
func (b *bounded) intern(name string, most int, build func() *Kernel) *Kernel {
	if k, ok := interned.Load(name); ok {
		return k.(*Kernel)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := interned.Load(name); !ok {
		if b.made >= most {
			return nil
		}
		b.made++
	}
	return intern(name, build)
}

func itoa(n int) string { return strconv.Itoa(n) }
