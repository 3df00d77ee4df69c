package media

import (
	"encoding/binary"
	"hash/crc32"
)

const pngHead = "\x89PNG\r\n\x1a\n"

// keptChunks are what is needed to show a picture (PNG, third edition, section 11). Texts,
// times, EXIF and chunks that we do not know go.
var keptChunks = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "cHRM": true, "gAMA": true, "iCCP": true,
	"sBIT": true, "sRGB": true, "cICP": true, "bKGD": true, "pHYs": true, "acTL": true, "fcTL": true, "fdAT": true,
}

// cleanPNG keeps the picture, and of EXIF how it has to be turned.
func cleanPNG(data []byte) ([]byte, picture, error) {
	out, p := append(make([]byte, 0, len(data)), pngHead...), picture{frames: 1}
	for rest := data[len(pngHead):]; len(rest) >= 12; {
		size := int64(binary.BigEndian.Uint32(rest))
		if size > int64(len(rest)-12) {
			return nil, p, broken("chunk")
		}
		chunk, kind, body := rest[:12+size], string(rest[4:8]), rest[8:8+size]
		rest = rest[12+size:]
		switch {
		case kind == "IHDR" && size >= 8:
			p.width, p.height = be32(body), be32(body[4:])
		case kind == "acTL" && size >= 4:
			p.frames = be32(body)
		case kind == "eXIf":
			out = append(out, pngOrientation(body)...)
		}
		if keptChunks[kind] {
			out = append(out, chunk...)
		}
		if kind == "IEND" {
			return out, p, nil // what follows is no part of the picture
		}
	}
	return nil, p, broken("no end")
}

func pngOrientation(tiff []byte) []byte {
	value := orientation(tiff)
	if value == 1 {
		return nil
	}
	body := append([]byte("eXIf"), onlyOrientation(value)...)
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(body)-4)), body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(body))
}

func be16(b []byte) int64 { return int64(binary.BigEndian.Uint16(b)) }
func be32(b []byte) int64 { return int64(binary.BigEndian.Uint32(b)) }
