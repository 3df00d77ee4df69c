// Package mediatest makes small files as phones and cameras make them: some say where they were
// taken. They serve the tests of several packages, and the trials with real homeservers.
package mediatest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
)

// Secret stands in every file that tells too much, where the place or the device would be.
const Secret = "52.3702N-4.8952E-SM-G991B"

// Pixels is a picture in which no two corners are alike.
func Pixels(width, height int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.NRGBA{R: uint8(255 * x / width), G: uint8(255 * y / height), B: uint8(x ^ y), A: 255})
		}
	}
	return m
}

func encoded(encode func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err) // what is made here can be encoded
	}
	return b.Bytes()
}

// JPEG is a photo that says nothing.
func JPEG(width, height int) []byte {
	return encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, Pixels(width, height), nil) })
}

// JPEGWithPlace is the same photo as a phone makes it: turned, with the place in EXIF, XMP and a
// comment, and with a video behind it.
func JPEGWithPlace(width, height, turn int) []byte {
	plain := JPEG(width, height)
	out := append([]byte{}, plain[:2]...)
	out = append(out, segment(0xe1, append([]byte("Exif\x00\x00"), EXIF(turn)...))...)
	out = append(out, segment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00<x>"+Secret+"</x>"))...)
	out = append(out, segment(0xed, []byte("Photoshop 3.0\x00"+Secret))...)
	out = append(out, segment(0xe2, []byte("MPF\x00"+Secret))...)
	out = append(out, segment(0xfe, []byte(Secret))...)
	return append(append(out, plain[2:]...), "ftypmp42"+Secret...)
}

func segment(marker byte, body []byte) []byte {
	head := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2))
	return append(head, body...)
}

// EXIF has how the picture is turned, the device, and a directory with the place.
func EXIF(turn int) []byte {
	le := binary.LittleEndian
	b := []byte("II*\x00\x08\x00\x00\x00\x03\x00")
	entry := func(tag, kind uint16, count, value uint32) {
		b = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(b, tag), kind), count), value)
	}
	entry(0x0110, 2, uint32(len(Secret)), 50) // the model
	entry(0x0112, 3, 1, uint32(turn))
	entry(0x8825, 4, 1, 50) // GPS
	return append(append(b, 0, 0, 0, 0), Secret...)
}

// PNG is a picture that says nothing.
func PNG(width, height int) []byte {
	return encoded(func(b *bytes.Buffer) error { return png.Encode(b, Pixels(width, height)) })
}

// PNGWithPlace is the same with EXIF, texts and a time in it, and something behind it.
func PNGWithPlace(width, height, turn int) []byte {
	plain := PNG(width, height)
	const afterHead = 8 + 25
	out := append([]byte{}, plain[:afterHead]...)
	out = append(out, Chunk("eXIf", EXIF(turn))...)
	out = append(out, Chunk("tEXt", []byte("Location\x00"+Secret))...)
	out = append(out, Chunk("iTXt", []byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"+Secret))...)
	out = append(out, Chunk("prVt", []byte(Secret))...)
	return append(append(out, plain[afterHead:]...), Secret...)
}

// GIF is an animation; GIFWithPlace is the same with a comment and XMP.
func GIF(width, height, frames int) []byte {
	g := &gif.GIF{}
	palette := color.Palette{color.Black, color.White, color.NRGBA{R: 255, A: 255}}
	for i := range frames {
		m := image.NewPaletted(image.Rect(0, 0, width, height), palette)
		m.SetColorIndex(i%width, 0, 1)
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 5)
	}
	return encoded(func(b *bytes.Buffer) error { return gif.EncodeAll(b, g) })
}

// GIFWithPlace is GIF with a comment and with XMP.
func GIFWithPlace(width, height, frames int) []byte {
	plain := GIF(width, height, frames)
	end := len(plain) - 1
	block := func(head string) []byte {
		return append([]byte(head), append([]byte{byte(len(Secret))}, Secret+"\x00"...)...)
	}
	out := append([]byte{}, plain[:end]...)
	out = append(out, block("!\xfe")...)
	out = append(out, block("!\xff\x0bXMP DataXMP")...)
	return append(append(out, ';'), Secret...)
}

// webp is a lossless picture of one pixel.
const webp = "/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

// WebP is a picture of one pixel that says nothing.
func WebP() []byte { return riff(riffChunk("VP8L", webp)) }

// WebPWithPlace is the same with EXIF, XMP and a chunk that nobody knows.
func WebPWithPlace(turn int) []byte {
	return riff(riffChunk("VP8X", "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00"), riffChunk("VP8L", webp),
		riffChunk("EXIF", string(EXIF(turn))), riffChunk("XMP ", Secret), riffChunk("prVt", Secret))
}

func riff(chunks ...string) []byte {
	body := "WEBP"
	for _, c := range chunks {
		body += c
	}
	return []byte(riffChunk("RIFF", body))
}

func riffChunk(kind, body string) string {
	head := kind + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body))))
	if len(body)%2 == 1 {
		body += "\x00"
	}
	return head + body
}
