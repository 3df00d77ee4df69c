package media

import (
	"bytes"
	"encoding/binary"
)

// Flags of the VP8X chunk (WebP container specification).
const (
	webpXMP  = 0x04
	webpEXIF = 0x08
)

var keptWebP = map[string]bool{"VP8 ": true, "VP8L": true, "VP8X": true, "ALPH": true, "ANIM": true, "ANMF": true, "ICCP": true}

// cleanWebP keeps the picture, and of EXIF how it has to be turned.
func cleanWebP(data []byte) ([]byte, picture, error) {
	if len(data) < 12 {
		return nil, picture{}, broken("header")
	}
	out, p, turn := append(make([]byte, 0, len(data)), data[:12]...), picture{}, 1
	end := min(int64(len(data)), 8+int64(binary.LittleEndian.Uint32(data[4:])))
	for rest := data[12:max(end, 12)]; len(rest) >= 8; {
		kind, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		if size > int64(len(rest)-8) {
			return nil, p, broken("chunk")
		}
		padded := min(8+size+size&1, int64(len(rest)))
		chunk := bytes.Clone(rest[:padded])
		rest = rest[padded:]
		body := chunk[8 : 8+size]
		p.see(kind, body)
		if kind == "EXIF" {
			turn = orientation(bytes.TrimPrefix(body, []byte(exifHead)))
		}
		if keptWebP[kind] {
			out = append(out, chunk...)
		}
	}
	if p.width == 0 {
		return nil, p, broken("no picture")
	}
	return webpFinished(out, turn), p, nil
}

// see reads the size of the picture from the chunk that has it.
func (p *picture) see(kind string, body []byte) {
	switch {
	case kind == "VP8X" && len(body) >= 10:
		p.width, p.height = le24(body[4:])+1, le24(body[7:])+1
	case kind == "ANMF":
		p.frames++
	case p.width != 0:
	case kind == "VP8 " && len(body) >= 10:
		p.width, p.height = le24(body[6:])&0x3fff, le24(append(bytes.Clone(body[8:10]), 0))&0x3fff
	case kind == "VP8L" && len(body) >= 5:
		bits := int64(binary.LittleEndian.Uint32(body[1:]))
		p.width, p.height = bits&0x3fff+1, bits>>14&0x3fff+1
	}
}

// webpFinished corrects the flags and the size to what is left.
func webpFinished(out []byte, turn int) []byte {
	if extended := len(out) > 20 && string(out[12:16]) == "VP8X"; extended {
		out[20] &^= webpXMP | webpEXIF
		if turn != 1 {
			out[20] |= webpEXIF
			exif := onlyOrientation(turn) // of even length: no padding
			out = append(out, 'E', 'X', 'I', 'F')
			out = append(binary.LittleEndian.AppendUint32(out, uint32(len(exif))), exif...)
		}
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func le24(b []byte) int64 { return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 }
