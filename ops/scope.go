package ops

// scope releases what is put into it.
type scope []*Tensor

func (s *scope) add(t *Tensor, err error) (*Tensor, error) {
	if t != nil {
		*s = append(*s, t)
	}
	return t, err
}

func (s *scope) release() {
	for _, t := range *s {
		t.Release()
	}
}
