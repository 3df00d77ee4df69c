package media

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/spreekkamer/spreekkamer/media/mediatest"
)

func samples() map[string][]byte {
	return map[string][]byte{
		"JPEG": mediatest.JPEGWithPlace(16, 16, 6), "PNG": mediatest.PNGWithPlace(16, 16, 6),
		"GIF": mediatest.GIFWithPlace(16, 16, 2), "WebP": mediatest.WebPWithPlace(6),
		"HEIC": mediatest.HEICWithPlace(16, 16), "MP4": mediatest.MP4WithPlace(), "MOV": mediatest.MOVWithPlace(),
	}
}

// A file that ends too early either is refused or tells nothing.
func TestAFileThatIsCutOffTellsNothing(t *testing.T) {
	for name, data := range samples() {
		for n := range data {
			f, err := Clean(data[:n], "", Limits{})
			if err == nil && cleaners[f.Type] != nil {
				require.NotContains(t, string(f.Data), mediatest.Secret, "%s cut to %d bytes", name, n)
			}
		}
	}
}

func TestNoDamageMakesItPanicOrGrow(t *testing.T) {
	all := samples()
	rapid.Check(t, func(t *rapid.T) {
		data := bytes.Clone(all[rapid.SampledFrom([]string{"JPEG", "PNG", "GIF", "WebP", "HEIC", "MP4"}).Draw(t, "kind")])
		for range rapid.IntRange(1, 8).Draw(t, "hits") {
			data[rapid.IntRange(0, len(data)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "value")
		}
		f, err := Clean(data, "", Limits{})
		if err == nil && len(f.Data) > len(data)+64 {
			t.Fatalf("%d bytes became %d", len(data), len(f.Data))
		}
	})
}

func FuzzClean(f *testing.F) {
	for _, data := range samples() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		cleaned, err := Clean(data, "foto.jpg", Limits{Pixels: 1e8})
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if err == nil && len(cleaned.Data) > len(data)+64 {
			t.Fatalf("%d bytes became %d", len(data), len(cleaned.Data))
		}
	})
}

func TestBoxesWithinBoxesEnd(t *testing.T) {
	deep := mediatest.Box("moov")
	for range 100 {
		deep = mediatest.Box("moov", deep)
	}
	_, err := Clean([]byte(mediatest.Box("ftyp", "isom\x00\x00\x00\x00isom")+deep), "", Limits{})
	assert.ErrorIs(t, err, ErrBroken)
}

// A table that says four thousand million samples costs no more than the file is long.
func TestATableThatLiesCostsNothing(t *testing.T) {
	data := mediatest.MP4WithPlace()
	at := bytes.LastIndex(data, []byte("stsz"))
	require.Positive(t, at)
	binary.BigEndian.PutUint32(data[at+8:], 0x7fffffff)
	at = bytes.LastIndex(data, []byte("stsc"))
	binary.BigEndian.PutUint32(data[at+16:], 0xffffffff)
	_, err := Clean(data, "", Limits{})
	assert.ErrorIs(t, err, ErrBroken)
}

func TestAHeaderThatIsCompressedIsRefused(t *testing.T) {
	film := mediatest.Box("ftyp", "qt  \x00\x00\x00\x00qt  ") + mediatest.Box("moov", mediatest.Box("cmov", "x"))
	_, err := Clean([]byte(film), "film.mov", Limits{})
	assert.ErrorIs(t, err, ErrBroken)
}

func TestBigBoxesAndBoxesToTheEndAreRead(t *testing.T) {
	big := "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x14data"
	open := "\x00\x00\x00\x00udta" + mediatest.Secret
	f, err := Clean([]byte(mediatest.Box("ftyp", "isom\x00\x00\x00\x00isom")+mediatest.Box("moov")+big+open), "", Limits{})
	require.NoError(t, err)
	assert.NotContains(t, string(f.Data), mediatest.Secret)
	assert.Contains(t, string(f.Data), "data")
}

func TestJPEGsOfOtherMakersAreRead(t *testing.T) {
	plain := mediatest.JPEG(8, 8)
	withCopy := append(bytes.Clone(plain[:2]), "\xff\xe0\x00\x13JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01abc"...)
	f, err := Clean(append(withCopy, plain[2:]...), "", Limits{})
	require.NoError(t, err)
	assert.NotContains(t, string(f.Data), "abc", "the small copy of the picture goes")
	assert.Contains(t, string(f.Data), "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00")

	filled := append([]byte("\xff\xd8\xff\xff\xff"), plain[3:]...)
	f, err = Clean(filled, "", Limits{})
	require.NoError(t, err)
	assert.Equal(t, plain, f.Data)

	f, err = Clean(plain[:len(plain)-2], "", Limits{})
	require.NoError(t, err, "without its end it can still be seen")
	assert.Equal(t, plain[:len(plain)-2], f.Data)
}

func TestNamesLoseTheirPathAndWhatDeceives(t *testing.T) {
	for _, tt := range []struct{ sent, kind, want string }{
		{"foto.jpg", "image/jpeg", "foto.jpg"},
		{"foto.JPEG", "image/jpeg", "foto.JPEG"},
		{"/home/anna/foto.jpg", "image/jpeg", "foto.jpg"},
		{`C:\Users\anna\foto.jpg`, "image/jpeg", "foto.jpg"},
		{"../../etc/passwd", "text/plain", "passwd"},
		{"..", "text/plain", "bestand"},
		{"", "audio/ogg", "bestand.ogg"},
		{"brief.pdf", "image/jpeg", "brief.pdf.jpg"},
		{"foto", "image/heic", "foto.heic"},
		{"Voice message", "audio/ogg", "Voice message.ogg"},
		{"foto\u202egpj.exe", "image/png", "fotogpj.exe.png"},
		{"fo\x00to\n.jpg", "image/jpeg", "foto.jpg"},
		{"...verborgen", "application/zip", "verborgen"},
	} {
		t.Run(tt.sent, func(t *testing.T) { assert.Equal(t, tt.want, Name(tt.sent, tt.kind)) })
	}
}

func TestANameIsNeverLongNorAPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := Name(rapid.String().Draw(t, "sent"), "image/png")
		if name == "" || bytes.ContainsAny([]byte(name), "/\\\x00\n") || len([]rune(name)) > maxName {
			t.Fatalf("%q", name)
		}
	})
}
