package media

import (
	"bytes"
	"image"
	_ "image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/webp"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

var some = Limits{Pixels: 1e6, Refused: []string{
	"application/vnd.microsoft.portable-executable", "text/html", "image/svg+xml", ".bat", ".docm",
}}

// What tells nothing stays as it is, to the last byte.
func TestAFileThatTellsNothingStaysAsItIs(t *testing.T) {
	for _, tt := range []struct {
		name, kind    string
		data          []byte
		width, height int
	}{
		{"foto.jpg", "image/jpeg", mediatest.JPEG(40, 30), 40, 30},
		{"plaatje.png", "image/png", mediatest.PNG(40, 30), 40, 30},
		{"beweging.gif", "image/gif", mediatest.GIF(40, 30, 3), 40, 30},
		{"plaatje.webp", "image/webp", mediatest.WebP(), 1, 1},
		{"film.mp4", "video/mp4", mediatest.MP4(), 0, 0},
		{"bericht.ogg", "audio/ogg", mediatest.Voice(), 0, 0},
		{"brief.pdf", "application/pdf", mediatest.PDF(), 0, 0},
		{"lijst.txt", "text/plain", []byte("melk, brood"), 0, 0},
		{"meting", "application/octet-stream", []byte{0, 1, 2, 3, 0xfe}, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Clean(tt.data, tt.name, some)
			require.NoError(t, err)
			assert.Equal(t, tt.data, f.Data)
			assert.Equal(t, File{Data: tt.data, Type: tt.kind, Width: tt.width, Height: tt.height}, f)
		})
	}
}

func TestWhatTellsThePlaceOrTheDeviceGoes(t *testing.T) {
	for _, tt := range []struct {
		name, kind string
		data, want []byte // want nil: only known not to tell
	}{
		{"JPEG", "image/jpeg", mediatest.JPEGWithPlace(40, 30, 1), mediatest.JPEG(40, 30)},
		{"PNG", "image/png", mediatest.PNGWithPlace(40, 30, 1), mediatest.PNG(40, 30)},
		{"GIF", "image/gif", mediatest.GIFWithPlace(40, 30, 3), mediatest.GIF(40, 30, 3)},
		{"WebP", "image/webp", mediatest.WebPWithPlace(1), nil},
		{"JPEG that is turned", "image/jpeg", mediatest.JPEGWithPlace(40, 30, 6), nil},
		{"PNG that is turned", "image/png", mediatest.PNGWithPlace(40, 30, 8), nil},
		{"WebP that is turned", "image/webp", mediatest.WebPWithPlace(3), nil},
		{"HEIC", "image/heic", mediatest.HEICWithPlace(40, 30), nil},
		{"MP4", "video/mp4", mediatest.MP4WithPlace(), nil},
		{"MOV", "video/quicktime", mediatest.MOVWithPlace(), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := bytes.Clone(tt.data)
			f, err := Clean(tt.data, "foto", some)
			require.NoError(t, err)
			assert.Equal(t, before, tt.data, "what was handed in is not ours to change")
			assert.Equal(t, tt.kind, f.Type)
			require.Contains(t, string(tt.data), mediatest.Secret)
			assert.NotContains(t, string(f.Data), mediatest.Secret)
			if tt.want != nil {
				assert.Equal(t, tt.want, f.Data)
			}
			again, err := Clean(f.Data, "foto", some)
			require.NoError(t, err)
			assert.Equal(t, f, again, "what is clean stays as it is")
		})
	}
}

func TestHowAPictureHasToBeTurnedStays(t *testing.T) {
	for turn := 1; turn <= 8; turn++ {
		for name, data := range map[string][]byte{
			"JPEG": mediatest.JPEGWithPlace(8, 8, turn), "PNG": mediatest.PNGWithPlace(8, 8, turn), "WebP": mediatest.WebPWithPlace(turn),
		} {
			f, err := Clean(data, "", some)
			require.NoError(t, err, name)
			at := bytes.Index(f.Data, []byte("MM\x00*"))
			require.Equal(t, turn == 1, at < 0, "%s, %d: as it is needs no word", name, turn)
			if at >= 0 {
				assert.Equal(t, turn, orientation(f.Data[at:]), name)
			}
		}
	}
}

func TestThePixelsStay(t *testing.T) {
	for name, tt := range map[string]struct {
		data   []byte
		decode func(data []byte) (image.Image, error)
	}{
		"JPEG": {mediatest.JPEGWithPlace(64, 48, 6), func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }},
		"PNG":  {mediatest.PNGWithPlace(64, 48, 6), func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }},
		"WebP": {mediatest.WebPWithPlace(6), func(b []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(b)) }},
	} {
		f, err := Clean(tt.data, "", some)
		require.NoError(t, err, name)
		before, err := tt.decode(tt.data)
		require.NoError(t, err, name)
		after, err := tt.decode(f.Data)
		require.NoError(t, err, name)
		assert.Equal(t, before, after, name)
	}
}

func TestWhatPeopleSeeAndHearInAVideoStays(t *testing.T) {
	for _, data := range [][]byte{mediatest.MP4WithPlace(), mediatest.MOVWithPlace()} {
		f, err := Clean(data, "film", some)
		require.NoError(t, err)
		assert.Len(t, f.Data, len(data), "other boxes point into the file by place")
		assert.Contains(t, string(f.Data), mediatest.Frame+mediatest.Sound)
	}
	f, err := Clean(mediatest.HEICWithPlace(40, 30), "", some)
	require.NoError(t, err)
	assert.Contains(t, string(f.Data), mediatest.Frame)
	assert.Equal(t, 40, f.Width)
}

func TestAPictureThatUnfoldsTooFarIsRefusedUnseen(t *testing.T) {
	bomb := mediatest.PNG(1, 1)
	copy(bomb[16:], "\x00\x01\x00\x00\x00\x01\x00\x00") // says 65,536 by 65,536
	for name, data := range map[string][]byte{
		"PNG":  bomb,
		"GIF":  mediatest.GIF(100, 100, 101),
		"HEIC": mediatest.HEICWithPlace(70000, 70000),
	} {
		_, err := Clean(data, "", some)
		assert.ErrorIs(t, err, ErrPixels, name)
	}
	_, err := Clean(bomb, "", Limits{})
	assert.NoError(t, err, "no limit was set")
}

func TestWhatCanBeRunIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		data []byte
	}{
		{"foto.jpg", mediatest.Program()},
		{"foto.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)},
		{"brief.html", []byte("<!DOCTYPE html><html><script>x</script></html>")},
		{"start.BAT", []byte("del *.*")},
		{"start.bat . .", []byte("del *.*")},
		{"brief.docm", mediatest.PDF()},
	} {
		_, err := Clean(tt.data, tt.name, some)
		assert.ErrorIs(t, err, ErrType, tt.name)
	}
}

func TestPicturesThatCannotBeCleanedAreRefused(t *testing.T) {
	tiff := append([]byte("II*\x00"), make([]byte, 100)...)
	for _, data := range [][]byte{tiff, []byte("\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a")} {
		_, err := Clean(data, "scan.tiff", Limits{})
		assert.ErrorIs(t, err, ErrType)
	}
}

func TestOnlyWhatIsAllowedPassesWhenThereIsAList(t *testing.T) {
	only := Limits{Allowed: []string{"image/*", "application/pdf", ".txt"}}
	for name, data := range map[string][]byte{"a.jpg": mediatest.JPEG(4, 4), "b.pdf": mediatest.PDF(), "c.txt": []byte("dag")} {
		_, err := Clean(data, name, only)
		assert.NoError(t, err, name)
	}
	for name, data := range map[string][]byte{"d.ogg": mediatest.Voice(), "e.csv": []byte("dag")} {
		_, err := Clean(data, name, only)
		assert.ErrorIs(t, err, ErrType, name)
	}
}
