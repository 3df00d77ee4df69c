package mediatest

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// Chunk is a chunk of a PNG file.
func Chunk(kind string, body []byte) []byte {
	named := append([]byte(kind), body...)
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), named...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(named))
}

// Box is a box of an MP4, QuickTime or HEIC file.
func Box(kind string, inside ...string) string {
	body := strings.Join(inside, "")
	return u32(len(body)+8) + kind + body
}

func u16(n int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(n))) }
func u32(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }

const full = "\x00\x00\x00\x00" // version 0, no flags

// track has one sample of n bytes at a place in the file.
func track(handler string, at, n int) string {
	table := Box("stbl",
		Box("stsz", full, u32(0), u32(1), u32(n)),
		Box("stsc", full, u32(1), u32(1), u32(1), u32(1)),
		Box("stco", full, u32(1), u32(at)))
	return Box("trak", Box("mdia", Box("hdlr", full, full, handler, strings.Repeat("\x00", 13)), Box("minf", table)))
}

// Frame is what the video of MP4 shows, and Sound what its sound says.
const (
	Frame = "the-picture-of-the-video"
	Sound = "the-sound-of-the-video"
)

// MP4 is a video with a picture track and a sound track that says nothing else.
func MP4() []byte { return movie("isom", false) }

// MP4WithPlace is a video as a phone makes it: with the place in its header, and with a track in
// which it recorded where it went.
func MP4WithPlace() []byte { return movie("isom", true) }

// MOVWithPlace is the same as a QuickTime file.
func MOVWithPlace() []byte { return movie("qt  ", true) }

func movie(brand string, tells bool) []byte {
	head := Box("ftyp", brand, full, brand)
	begin := len(head) + 8
	data := Box("mdat", Frame, Sound)
	tracks := []string{
		track("vide", begin, len(Frame)),
		track("soun", begin+len(Frame), len(Sound)),
	}
	if tells {
		data = Box("mdat", Frame, Sound, Secret)
		tracks = append(tracks, track("meta", begin+len(Frame)+len(Sound), len(Secret)),
			Box("udta", Box("\xa9xyz", u16(len(Secret)), u16(0), Secret), full),
			Box("meta", full, Box("ilst", Secret)))
		data += Box("uuid", strings.Repeat("x", 16), Secret)
	}
	return []byte(head + data + Box("moov", Box("mvhd", full), strings.Join(tracks, "")))
}

// HEICWithPlace is a photo as an iPhone makes it, with EXIF in the file and XMP in the header.
// Nothing can decode its picture, which is the words of Frame.
func HEICWithPlace(width, height int) []byte {
	head := Box("ftyp", "heic", full, "mif1heic")
	small := Box("idat", Secret)
	describe := func(at int) string {
		item := func(number int, kind string) string {
			return Box("infe", "\x02\x00\x00\x00", u16(number), u16(0), kind, "\x00")
		}
		where := func(number, method, at, n int) string {
			return u16(number) + u16(method) + u16(0) + u16(1) + u32(at) + u32(n)
		}
		return Box("meta", full,
			Box("iinf", full, u16(3), item(1, "hvc1"), item(2, "Exif"), item(3, "mime")),
			Box("iprp", Box("ipco", Box("ispe", full, u32(width), u32(height)))),
			Box("iloc", "\x01\x00\x00\x00", "\x44\x00", u16(3),
				where(1, 0, at, len(Frame)), where(2, 0, at+len(Frame), len(Secret)), where(3, 1, 0, len(Secret))),
			small)
	}
	at := len(head) + len(describe(0)) + 8
	return []byte(head + describe(at) + Box("mdat", Frame, Secret))
}

// Voice is the beginning of a voice message, as far as it can be recognised.
func Voice() []byte {
	page := "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x13"
	return []byte(page + "OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00" + strings.Repeat("sound", 40))
}

// PDF is a document of one empty page.
func PDF() []byte {
	return []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
}

// Program is the beginning of a program for Windows.
func Program() []byte { return append([]byte("MZ"), make([]byte, 200)...) }
