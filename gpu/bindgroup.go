package gpu

import "slices"

// group is a bind group: a layout with the buffers bound to it.
type group struct {
	handle  handle
	layout  *layout
	buffers []*memory
	hash    uint64
	batch   uint64 // last batch that uses it
	chain   *group // next with the same hash
	newer   *group // in order of use
	older   *group
}

// groupsHeld bounds the cache. A network of some hundred layers uses a few
// hundred; the bound is for programs whose shapes never repeat.
const groupsHeld = 4096

// groupCache finds bind groups by layout and buffers. It is a hash table whose
// lookup allocates nothing, with a list in order of use.
type groupCache struct {
	table  map[uint64]*group
	newest *group
	oldest *group
	count  int
}

func groupHash(l *layout, buffers []*memory) uint64 {
	h := l.id * 0x9e3779b97f4a7c15
	for _, m := range buffers {
		h = (h ^ m.id) * 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	return h
}

// find returns the bind group and makes it the newest, or returns nil.
func (c *groupCache) find(hash uint64, l *layout, buffers []*memory) *group {
	for g := c.table[hash]; g != nil; g = g.chain {
		if g.layout == l && slices.Equal(g.buffers, buffers) {
			if g != c.newest {
				c.unlink(g)
				c.link(g)
			}
			return g
		}
	}
	return nil
}

func (c *groupCache) add(g *group) {
	if c.table == nil {
		c.table = map[uint64]*group{}
	}
	g.chain = c.table[g.hash]
	c.table[g.hash] = g
	c.link(g)
	c.count++
}

func (c *groupCache) remove(g *group) {
	if c.table[g.hash] == g {
		if g.chain == nil {
			delete(c.table, g.hash)
		} else {
			c.table[g.hash] = g.chain
		}
	} else {
		before := c.table[g.hash]
		for before.chain != g {
			before = before.chain
		}
		before.chain = g.chain
	}
	c.unlink(g)
	c.count--
}

func (c *groupCache) link(g *group) {
	g.older, g.newer = c.newest, nil
	if c.newest != nil {
		c.newest.newer = g
	} else {
		c.oldest = g
	}
	c.newest = g
}

func (c *groupCache) unlink(g *group) {
	if g.newer != nil {
		g.newer.older = g.older
	} else {
		c.newest = g.older
	}
	if g.older != nil {
		g.older.newer = g.newer
	} else {
		c.oldest = g.newer
	}
	g.newer, g.older = nil, nil
}

func (c *groupCache) each(f func(*group)) {
	for g := c.newest; g != nil; g = g.older {
		f(g)
	}
}

// group returns the bind group of a layout and buffers.
func (d *Device) group(l *layout, buffers []*memory) (*group, error) {
	hash := groupHash(l, buffers)
	if g := d.groups.find(hash, l, buffers); g != nil {
		d.stats.BindGroupHits++
		return g, nil
	}
	if d.groups.count >= groupsHeld {
		d.dropGroup(d.groups.oldest)
	}
	h, err := d.drv.newGroup(l.handle, d.arena.handle, l.key.paramBytes, buffers)
	if err != nil {
		return nil, d.note(err)
	}
	g := &group{handle: h, layout: l, buffers: slices.Clone(buffers), hash: hash}
	for i, m := range g.buffers {
		if m != d.dummy && !slices.Contains(g.buffers[:i], m) {
			m.groups = append(m.groups, g)
		}
	}
	d.groups.add(g)
	d.stats.BindGroups++
	return g, nil
}

// dropGroup takes a bind group out of the cache and gives it back to the
// driver, after the next submission where recorded work names it.
func (d *Device) dropGroup(g *group) {
	d.groups.remove(g)
	for _, m := range g.buffers {
		if i := slices.Index(m.groups, g); i >= 0 {
			m.groups = slices.Delete(m.groups, i, i+1)
		}
	}
	if g.batch > d.seq {
		d.retired = append(d.retired, g)
		return
	}
	d.drv.freeGroup(g.handle)
}
