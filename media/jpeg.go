package media

import "bytes"

// Markers of JPEG (ITU-T T.81, table B.1).
const (
	jpegStart    = 0xd8
	jpegEnd      = 0xd9
	jpegScan     = 0xda
	jpegComment  = 0xfe
	jpegApp0     = 0xe0
	jpegApp1     = 0xe1
	jpegApp2     = 0xe2
	jpegApp14    = 0xee
	jpegApp15    = 0xef
	jpegRestart0 = 0xd0
	jpegRestart7 = 0xd7
)

// keptApps are the application segments without which the colours would be wrong, by how they
// begin.
var keptApps = map[byte]string{jpegApp0: "JFIF\x00", jpegApp2: "ICC_PROFILE\x00", jpegApp14: "Adobe"}

const exifHead = "Exif\x00\x00"

// cleanJPEG keeps what is needed to show the picture. All else goes: EXIF, XMP, IPTC, comments,
// and what follows the picture, where phones put second pictures and videos.
func cleanJPEG(data []byte) ([]byte, picture, error) {
	out, p := append(make([]byte, 0, len(data)), 0xff, jpegStart), picture{frames: 1}
	rest := data[2:]
	for len(rest) >= 2 {
		marker, segment, err := jpegSegment(rest)
		if err != nil {
			return nil, p, err
		}
		rest = rest[bytes.IndexByte(rest, marker)+1+len(segment):]
		switch {
		case marker == jpegEnd:
			return append(out, 0xff, jpegEnd), p, nil
		case isFrame(marker):
			if len(segment) < 7 {
				return nil, p, broken("frame header")
			}
			p.height, p.width = be16(segment[3:]), be16(segment[5:])
		}
		out = append(out, keptSegment(marker, segment)...)
		if marker == jpegScan {
			n := scanLength(rest)
			out, rest = append(out, rest[:n]...), rest[n:]
		}
	}
	if p.width == 0 {
		return nil, p, broken("no frame")
	}
	return out, p, nil // cut off at its end, as some cameras leave them: it can still be seen
}

// jpegSegment reads a marker and what belongs to it, its length included.
func jpegSegment(rest []byte) (marker byte, segment []byte, err error) {
	i := 0
	for i < len(rest) && rest[i] == 0xff { // there may be several before a marker
		i++
	}
	if i == 0 || i == len(rest) || rest[i] == 0 {
		return 0, nil, broken("no marker where there should be one")
	}
	marker, rest = rest[i], rest[i+1:]
	if marker == jpegEnd || marker == 1 || marker >= jpegRestart0 && marker <= jpegRestart7 {
		return marker, nil, nil
	}
	if len(rest) < 2 || be16(rest) < 2 || be16(rest) > int64(len(rest)) {
		return 0, nil, broken("segment")
	}
	return marker, rest[:be16(rest)], nil
}

// isFrame recognises the headers that say how large the picture is.
func isFrame(marker byte) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}

// keptSegment is a segment as it goes on: nil when it does not.
func keptSegment(marker byte, segment []byte) []byte {
	whole := append([]byte{0xff, marker}, segment...)
	switch {
	case marker == jpegComment:
		return nil
	case marker < jpegApp0 || marker > jpegApp15:
		return whole
	case marker == jpegApp1 && bytes.HasPrefix(segment[2:], []byte(exifHead)):
		return jpegOrientation(segment[2+len(exifHead):])
	}
	begin, kept := keptApps[marker]
	if !kept || !bytes.HasPrefix(segment[2:], []byte(begin)) {
		return nil
	}
	if marker == jpegApp0 && len(segment) > 16 { // with a small copy of the picture in it
		return append([]byte{0xff, jpegApp0, 0, 16}, append(bytes.Clone(segment[2:14]), 0, 0)...)
	}
	return whole
}

func jpegOrientation(tiff []byte) []byte {
	value := orientation(tiff)
	if value == 1 {
		return nil
	}
	exif := append([]byte(exifHead), onlyOrientation(value)...)
	return append([]byte{0xff, jpegApp1, 0, byte(len(exif) + 2)}, exif...)
}

// scanLength is how far the compressed data go: to the next marker that is none of theirs.
func scanLength(rest []byte) int {
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] != 0xff {
			continue
		}
		next := rest[i+1]
		if next != 0 && next != 0xff && (next < jpegRestart0 || next > jpegRestart7) {
			return i
		}
	}
	return len(rest)
}
