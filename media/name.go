package media

import (
	"path"
	"slices"
	"strings"
	"unicode"
)

// maxName bounds a file's name, in characters.
const maxName = 120

// endings are how the names of files of a type may end; the first is given to a file whose name
// says something else. Types that are not here keep the name they have.
var endings = map[string][]string{
	"image/jpeg":          {".jpg", ".jpeg", ".jpe", ".jfif"},
	"image/png":           {".png"},
	"image/apng":          {".png", ".apng"},
	"image/gif":           {".gif"},
	"image/webp":          {".webp"},
	"image/bmp":           {".bmp"},
	"image/heic":          {".heic", ".heif"},
	"image/heic-sequence": {".heic", ".heif", ".heics"},
	"image/heif":          {".heif", ".heic"},
	"image/heif-sequence": {".heif", ".heic", ".heifs"},
	"image/avif":          {".avif"},
	"video/mp4":           {".mp4", ".m4v", ".m4a"},
	"video/quicktime":     {".mov", ".qt"},
	"video/webm":          {".webm", ".weba"},
	"video/3gpp":          {".3gp"},
	"audio/ogg":           {".ogg", ".oga", ".opus"},
	"application/ogg":     {".ogg", ".oga", ".ogv", ".opus"},
	"audio/mpeg":          {".mp3"},
	"audio/mp4":           {".m4a", ".mp4", ".aac"},
	"audio/x-m4a":         {".m4a", ".mp4"},
	"audio/wav":           {".wav"},
	"audio/aac":           {".aac"},
	"audio/amr":           {".amr"},
	"audio/flac":          {".flac"},
	"application/pdf":     {".pdf"},
}

// Name is what a file is called on the other side: the last part of the sender's name, without
// what a device's path would tell and without characters that deceive, ending as its type wants.
// It is "bestand" when nothing is left.
func Name(sent, kind string) string {
	name := sent[strings.LastIndexAny(sent, `/\`)+1:]
	name = strings.TrimSpace(strings.TrimLeft(strings.Map(visible, name), ". "))
	if name == "" {
		name = "bestand"
	}
	ending := endings[kind]
	if len(ending) > 0 && !slices.Contains(ending, strings.ToLower(path.Ext(name))) {
		name += ending[0]
	}
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[len(runes)-maxName:])
	}
	return name
}

func visible(r rune) rune {
	if !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
		return -1
	}
	return r
}
