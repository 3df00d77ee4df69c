package media

import (
	"bytes"
	"encoding/binary"
)

// Of everything that a camera writes, only how the picture has to be turned stays: a photo that
// lies on its side is hard to judge.

const orientationTag = 0x0112 // EXIF 2.32, 4.6.4

// orientation reads from EXIF data how a picture has to be turned: 1 (as it is) to 8. What is
// missing or makes no sense is 1.
func orientation(tiff []byte) int {
	order := byteOrder(tiff)
	if order == nil || len(tiff) < 8 {
		return 1
	}
	start := int64(order.Uint32(tiff[4:]))
	if start+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[start+2:]
	for range order.Uint16(tiff[start:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == orientationTag {
			return turned(order.Uint16(entries[8:]))
		}
		entries = entries[12:]
	}
	return 1
}

func turned(value uint16) int {
	if value < 1 || value > 8 {
		return 1
	}
	return int(value)
}

func byteOrder(tiff []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		return binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		return binary.BigEndian
	}
	return nil
}

// onlyOrientation is EXIF data that says nothing else.
func onlyOrientation(value int) []byte {
	return []byte{
		'M', 'M', 0, '*', 0, 0, 0, 8, // the first directory begins at 8
		0, 1, // it has one entry:
		orientationTag >> 8, orientationTag & 0xff, 0, 3, 0, 0, 0, 1, 0, byte(value), 0, 0, // one SHORT
		0, 0, 0, 0, // and no other directory follows
	}
}
