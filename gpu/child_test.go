package gpu

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/kansu-dev/kansu/internal/gputest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Some things can only be seen from outside of a process, or might end it.
// They run in a child: this test binary with childEnv set.
const childEnv = "KANSU_TEST_CHILD"

var children = map[string]func() error{"quiet": childQuiet}

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := children[name](); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ok")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runChild runs a child with these changes of the environment ("NAME=value", or
// "NAME" to unset it) and returns what it wrote to standard error.
func runChild(t *testing.T, name string, change ...string) string {
	t.Helper()
	if runtime.GOOS == "js" {
		t.Skip("no processes in a browser")
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(exe)
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc(change, func(s string) bool {
			n, _, _ := strings.Cut(s, "=")
			return strings.HasPrefix(v, n+"=")
		})
	})
	for _, s := range change {
		if strings.Contains(s, "=") {
			c.Env = append(c.Env, s)
		}
	}
	c.Env = append(c.Env, childEnv+"="+name)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	if strings.Contains(out.String(), errSkip.Error()) {
		t.Skip(out.String())
	}
	require.NoError(t, err, "stdout: %s\nstderr: %s", &out, &errs)
	require.Equal(t, "ok\n", out.String())
	return errs.String()
}

var errSkip = errors.New("child skips")

// childDevice opens the device, or ends the child with a skip.
func childDevice() (*Device, error) {
	d, err := Open(Options{})
	if errors.Is(err, ErrNoDevice) && !gputest.Required() {
		return nil, fmt.Errorf("%w: %w", errSkip, err)
	}
	return d, err
}

// childQuiet does a bit of everything, mistakes included.
func childQuiet() error {
	env := os.Environ()
	if _, err := Adapters(); err != nil && !errors.Is(err, ErrNoDevice) {
		return err
	}
	d, err := childDevice()
	if errors.Is(err, errSkip) {
		return nil // silence is asked for here too
	}
	if err != nil {
		return err
	}
	if err := readRepeatedly(d, 10, 1); err != nil {
		return err
	}
	if _, err := d.Kernel(&Program{Name: "bad", Source: "nonsense"}); !errors.Is(err, ErrShader) {
		return fmt.Errorf("a bad shader gave %v", err)
	}
	if _, err := d.Time(func() error { return readRepeatedly(d, 1, 2) }); err != nil && !errors.Is(err, ErrNoTimestamps) {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	if now := os.Environ(); !slices.Equal(env, now) {
		return fmt.Errorf("the environment changed from %q to %q", env, now)
	}
	return nil
}

// Nothing is written to the user's standard error, whatever is missing of a
// window system.
func TestQuiet(t *testing.T) {
	for name, change := range map[string][]string{
		"as it is":         nil,
		"no window system": {"XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY", "EGL_LOG_LEVEL"},
		"a broken one":     {"XDG_RUNTIME_DIR=/nonexistent", "DISPLAY=:99", "WAYLAND_DISPLAY=wayland-99"},
		"no cache":         {"MESA_SHADER_CACHE_DIR", "MESA_SHADER_CACHE_DISABLE", "XDG_CACHE_HOME=" + filepath.Join(t.TempDir(), "no", "such")},
		"no Vulkan driver": {"XDG_RUNTIME_DIR", "VK_DRIVER_FILES=/nonexistent", "VK_ICD_FILENAMES=/nonexistent", "KANSU_REQUIRE_GPU=0"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, runChild(t, "quiet", change...))
		})
	}
}
