package his_test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/spreekkamer/spreekkamer/his"
	"github.com/spreekkamer/spreekkamer/his/histest"
)

func TestAPatientNumberIsADirectory(t *testing.T) {
	for _, tt := range []struct{ name, number, want string }{
		{"an ordinary number", "20417", "20417"},
		{"small letters and hyphens", "ab-12_x", "ab-12_x"},
		{"capitals, that some file systems do not tell apart", "A1", "a1~16a36e86f6fed5d4"},
		{"a way up", "..", "__~5ec1f7e700f37c3d"},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, his.DirName(tt.number)) })
	}
}

func TestNoTwoPatientNumbersShareADirectory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if a != b && strings.EqualFold(his.DirName(a), his.DirName(b)) {
			t.Fatalf("%q and %q are both %q", a, b, his.DirName(a))
		}
	})
}

func TestAnyPatientNumberIsOneHarmlessName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		harmless(t, his.DirName(rapid.String().Draw(t, "number")), 64)
	})
}

func TestAnyFileNameIsOneHarmlessName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := his.FileName(rapid.OneOf(rapid.String(), rapid.StringMatching(`[a. _-]{0,9}\.(json|JSON|part|jpg)[. _-]{0,20}`)).Draw(t, "sent"))
		harmless(t, name, 120)
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, ".json") || strings.HasSuffix(lower, ".part") || strings.HasSuffix(lower, his.CopyExt) {
			t.Fatalf("%q passes for a file of ours", name)
		}
	})
}

func harmless(t *rapid.T, name string, limit int) {
	if name == "" || len(name) > limit || !utf8.ValidString(name) || !filepath.IsLocal(name) ||
		strings.ContainsAny(name, "/\\:\x00\n\"<>|?*") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
		t.Fatalf("%q is no harmless name", name)
	}
}

func TestAFileKeepsWhatIsSafeOfItsName(t *testing.T) {
	for _, tt := range []struct{ name, sent, want string }{
		{"an ordinary name", "Uitslag bloed (2).pdf", "Uitslag bloed (2).pdf"},
		{"letters of other scripts", "Ärztin Ω.jpg", "Ärztin Ω.jpg"},
		{"a path", "../../etc/passwd", "passwd"},
		{"a path of Windows", `C:\Users\jan\foto.jpg`, "foto.jpg"},
		{"a name that turns its direction", "foto\u202Egpj.exe", "foto_gpj.exe"},
		{"a forged item", "x.JSON", "x_JSON"},
		{"a forged item with a dot behind", "x.json. ", "x_json"},
		{"a forged item with a long tail", "x.json--------------", "x_json"},
		{"an unfinished file", "x.part", "x_part"},
		{"a copy of an answer", "x.Afschrift", "x_Afschrift"},
		{"a hidden file", ".profile", "bijlage.profile"},
		{"no name", "", "bijlage"},
		{"only dots", "...", "bijlage"},
		{"a long name keeps its extension", strings.Repeat("é", 150) + ".jpg", strings.Repeat("é", 54) + ".jpg"},
		{"broken UTF-8", "a\xffb.png", "a_b.png"},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, his.FileName(tt.sent)) })
	}
}

func TestAttachmentsOfOneNameAreKeptApart(t *testing.T) {
	item := histest.Message(12345)
	for _, name := range []string{"a.jpg", "A.JPG", "a-2.jpg", "a.jpg", "b", "b"} {
		item.Attachments = append(item.Attachments, histest.Photo(name, nil))
	}
	seen := map[string]bool{}
	for _, name := range his.AttachmentNames(item) {
		assert.True(t, strings.HasPrefix(name, "12345-"), name)
		assert.False(t, seen[strings.ToLower(name)], name)
		seen[strings.ToLower(name)] = true
	}
}
