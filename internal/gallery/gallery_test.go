package gallery

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kansu-dev/kansu/internal/enginetest"
	"github.com/kansu-dev/kansu/ops"
	"github.com/stretchr/testify/require"
)

func TestGallery(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, e *ops.Engine) {
		img, err := Open("")
		require.NoError(t, err)
		var parts []string
		sections, err := Build(e, img, func(name string) { parts = append(parts, name) })
		require.NoError(t, err)
		require.Len(t, parts, len(sections))
		dir := filepath.Join(t.TempDir(), "out")
		require.NoError(t, Write(dir, e.Device(), sections))
		page, err := os.ReadFile(filepath.Join(dir, "index.html"))
		require.NoError(t, err)
		for _, outside := range []string{"http:", "https:", "src=\"/", "<script", "<link"} {
			require.False(t, strings.Contains(string(page), outside), "the page refers to something outside: %s", outside)
		}
		names := map[string]bool{}
		for _, s := range sections {
			require.NotEmpty(t, s.Figures, s.Title)
			for _, f := range s.Figures {
				require.False(t, names[f.Name], "two figures are called %s", f.Name)
				names[f.Name] = true
				raw, err := os.ReadFile(filepath.Join(dir, f.Name+".png"))
				require.NoError(t, err)
				p, err := png.Decode(bytes.NewReader(raw))
				require.NoError(t, err, f.Name)
				require.Greater(t, p.Bounds().Dx(), 20, f.Name)
			}
		}
	})
}

func TestBadPhotos(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none.jpg"))
	require.ErrorIs(t, err, os.ErrNotExist)
	text := filepath.Join(t.TempDir(), "text.jpg")
	require.NoError(t, os.WriteFile(text, []byte("no picture"), 0o644))
	_, err = Open(text)
	require.ErrorContains(t, err, "text.jpg is no JPEG or PNG")
}
