package media

import (
	"bytes"
	"slices"
)

// MP4, QuickTime, HEIC and AVIF are boxes within boxes (ISO/IEC 14496-12). Other boxes point into
// the file by place, so nothing is cut out: a box that has to go becomes one of free space, and
// its bytes become zeros.

// A box is a part of a file.
type box struct {
	kind              string
	start, body, stop int // places in the file: of the box, of what is in it, and behind it
}

// deepest is how far boxes may lie within boxes; real files have six.
const deepest = 12

// boxes lists the boxes that lie next to each other in a part of a file.
func boxes(data []byte, start, stop int) (all []box, err error) {
	for at := start; at < stop; {
		if stop-at < 8 {
			if len(bytes.Trim(data[at:stop], "\x00")) == 0 {
				return all, nil // QuickTime ends lists with zeros
			}
			return nil, broken("box")
		}
		b, size := box{kind: string(data[at+4 : at+8]), start: at, body: at + 8}, be32(data[at:])
		switch {
		case size == 1 && stop-at >= 16:
			b.body, size = at+16, be32(data[at+8:])<<32|be32(data[at+12:])
		case size == 0: // up to the end
			size = int64(stop - at)
		}
		if size < int64(b.body-at) || size > int64(stop-at) {
			return nil, broken("box")
		}
		b.stop = at + int(size)
		all, at = append(all, b), b.stop
	}
	return all, nil
}

// find returns the first box of a kind.
func find(all []box, kind string) (box, bool) {
	i := slices.IndexFunc(all, func(b box) bool { return b.kind == kind })
	if i < 0 {
		return box{}, false
	}
	return all[i], true
}

// blank makes a box free space.
func blank(data []byte, b box) {
	copy(data[b.start+4:], "free")
	clear(data[b.body:b.stop])
}

// descend is the box that lies at the end of a path.
func descend(data []byte, b box, path ...string) (box, bool) {
	for _, kind := range path {
		inside, err := boxes(data, b.body, b.stop)
		if err != nil {
			return box{}, false
		}
		var found bool
		if b, found = find(inside, kind); !found {
			return box{}, false
		}
	}
	return b, true
}
