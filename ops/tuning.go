package ops

import (
	"fmt"
	"os"

	"github.com/kansu-dev/kansu/shaders"
)

// NoTuning is the name for WithTuning, or KANSU_TUNE, that means no table.
const NoTuning = "none"

// WithTuning names the file of a table that `kansu tune` wrote, which then
// chooses kernels in place of the one that comes with the library for the
// device; NoTuning means neither. Without this option the environment variable
// KANSU_TUNE says the same. A table for another device is passed over, as
// Device.Table tells, and so is any in pure Go. Open returns an error (ErrParam) where the file is damaged,
// of another version, or names an unknown kernel, and one where it is not there.
func WithTuning(file string) Option { return func(o *options) { o.tuning = file } }

// ownTable is a table that a user chose: a file's, or none at all.
type ownTable struct {
	file  string
	table *shaders.Table
}

// readTable reads the table of a file, or of the one that the environment names.
func readTable(file string) (ownTable, error) {
	if file == "" {
		file = os.Getenv("KANSU_TUNE")
	}
	if file == "" || file == NoTuning {
		return ownTable{file: file}, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return ownTable{}, fmt.Errorf("table of kernels: %w", err)
	}
	t, err := shaders.ParseTable(raw)
	if err != nil {
		return ownTable{}, fmt.Errorf("%s: %w", file, err)
	}
	return ownTable{file, t}, nil
}

// tune gives the engine its table: the user's, or the library's own.
func (e *Engine) tune(own ownTable) error {
	switch {
	case own.file == NoTuning:
		return nil
	case own.table != nil && own.table.Matches(e.device.Name):
		e.device.Table = own.file
		e.table.Store(own.table)
		return nil
	}
	t, err := shaders.TunedTable(e.device.Name)
	if err == nil && t != nil {
		e.device.Table = "built in"
		e.table.Store(t)
	}
	return err
}

// UseTable makes a table choose kernels from now on, whatever device it is for,
// or none where it is nil. Measuring needs it; programs give WithTuning to Open.
func (e *Engine) UseTable(t *shaders.Table) {
	if !e.none() {
		e.table.Store(t)
	}
}
