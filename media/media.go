// Package media makes the files of strangers fit to pass on. It looks at what a file is, not at
// what it is called; takes out what a picture or a video says about the device and the place;
// and refuses what is dangerous to open. It never decodes a picture: everything is read from
// headers, so a small file that unfolds to a huge picture costs nothing.
//
// Where nothing has to be taken out, the bytes stay as they are; the pixels always do.
package media

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Why a file is not passed on.
var (
	// ErrType is a kind of file that is not passed on: what can be run, and pictures of a kind
	// that may say where they were taken and cannot be cleaned.
	ErrType = errors.New("files of this kind are not passed on")
	// ErrPixels is a picture larger than a device can show.
	ErrPixels = errors.New("the picture is too large to show")
	// ErrBroken is a file that is not what it begins as, so that it cannot be cleaned.
	ErrBroken = errors.New("the file is broken")
)

// Limits say what is passed on. In the lists a name that begins with a dot is the end of a
// file's name (".exe"), any other is a type ("text/html", or "audio/*" for all of them).
type Limits struct {
	Pixels  int64 // of a picture, all frames of an animation together; 0 = no limit
	Refused []string
	Allowed []string // when it is not empty: nothing else
}

// A File is a file that may be passed on.
type File struct {
	Data          []byte
	Type          string // sniffed, such as "image/jpeg"; "application/octet-stream" when unknown
	Width, Height int    // of pictures; 0 when not known
}

// A picture is what a picture's headers say of its size.
type picture struct{ width, height, frames int64 }

// pixels counts the pixels of all frames; it never overflows, as headers hold 32 bits at most.
func (p picture) pixels() float64 {
	return float64(p.width) * float64(p.height) * float64(max(p.frames, 1))
}

// cleaners take out of each type what tells about the device, the place and the person. A
// picture of another type may hold such things too, and is refused.
var cleaners = map[string]func([]byte) ([]byte, picture, error){
	"image/jpeg":          cleanJPEG,
	"image/png":           cleanPNG,
	"image/apng":          cleanPNG,
	"image/gif":           cleanGIF,
	"image/webp":          cleanWebP,
	"image/bmp":           cleanBMP,
	"image/heic":          cleanHEIF,
	"image/heic-sequence": cleanHEIF,
	"image/heif":          cleanHEIF,
	"image/heif-sequence": cleanHEIF,
	"image/avif":          cleanHEIF,
	"video/mp4":           cleanMovie,
	"video/quicktime":     cleanMovie,
	"video/x-m4v":         cleanMovie,
	"video/3gpp":          cleanMovie,
	"video/3gpp2":         cleanMovie,
	"audio/mp4":           cleanMovie,
	"audio/x-m4a":         cleanMovie,
}

// Clean makes a file fit to pass on. data itself is never changed.
func Clean(data []byte, name string, l Limits) (File, error) {
	kind := mimetype.Detect(data)
	f := File{Data: data, Type: bare(kind.String())}
	if !l.pass(kind, name) {
		return f, fmt.Errorf("%s: %w", f.Type, ErrType)
	}
	clean, known := cleaners[f.Type]
	if !known && strings.HasPrefix(f.Type, "image/") {
		return f, fmt.Errorf("%s: %w", f.Type, ErrType)
	}
	if !known {
		return f, nil
	}
	cleaned, p, err := clean(data)
	if err != nil {
		return f, fmt.Errorf("%s: %w", f.Type, err)
	}
	if l.Pixels > 0 && p.pixels() > float64(l.Pixels) {
		return f, fmt.Errorf("%d × %d, %d frames: %w", p.width, p.height, p.frames, ErrPixels)
	}
	f.Data, f.Width, f.Height = cleaned, int(p.width), int(p.height)
	return f, nil
}

// bare is a type without its parameters.
func bare(kind string) string {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.TrimSpace(kind)
}

// pass applies the lists.
func (l Limits) pass(kind *mimetype.MIME, name string) bool {
	named := func(entry string) bool { return matches(entry, kind, name) }
	return !slices.ContainsFunc(l.Refused, named) && (len(l.Allowed) == 0 || slices.ContainsFunc(l.Allowed, named))
}

// matches says whether a file is what an entry of a list names.
func matches(entry string, kind *mimetype.MIME, name string) bool {
	if strings.HasPrefix(entry, ".") {
		return strings.EqualFold(path.Ext(strings.TrimRight(name, ". ")), entry)
	}
	if group, all := strings.CutSuffix(entry, "*"); all {
		return strings.HasPrefix(bare(kind.String()), group)
	}
	return kind.Is(entry)
}

func broken(what string) error { return fmt.Errorf("%s: %w", what, ErrBroken) }
