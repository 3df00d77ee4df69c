package media

import "encoding/binary"

// cleanGIF keeps the frames and how they follow each other; comments and data of programs go
// (GIF89a, sections 20 to 27).
func cleanGIF(data []byte) ([]byte, picture, error) {
	p := picture{}
	if len(data) < 13 {
		return nil, p, broken("header")
	}
	p.width, p.height = int64(binary.LittleEndian.Uint16(data[6:])), int64(binary.LittleEndian.Uint16(data[8:]))
	head := 13 + colours(data[10])
	if head > len(data) {
		return nil, p, broken("colours")
	}
	out, rest := append(make([]byte, 0, len(data)), data[:head]...), data[head:]
	for len(rest) > 0 && rest[0] != ';' {
		n, frame, keep, err := gifBlock(rest)
		if err != nil {
			return nil, p, err
		}
		if frame {
			p.frames++
		}
		if keep {
			out = append(out, rest[:n]...)
		}
		rest = rest[n:]
	}
	if p.frames == 0 {
		return nil, p, broken("no frame")
	}
	return append(out, ';'), p, nil
}

// gifBlock says how long a block is, whether it is a frame and whether it stays.
func gifBlock(rest []byte) (n int, frame, keep bool, err error) {
	switch {
	case rest[0] == ',' && len(rest) > 10:
		n, frame, keep = 10+colours(rest[9])+1, true, true
	case rest[0] == '!' && len(rest) > 2:
		n, keep = 2, keptExtension(rest)
	default:
		return 0, false, false, broken("block")
	}
	for { // sub-blocks, up to an empty one
		if n >= len(rest) {
			return 0, false, false, broken("block")
		}
		size := int(rest[n])
		if n += 1 + size; size == 0 {
			return n, frame, keep, nil
		}
	}
}

// keptExtension is true for what an animation needs: its timing, and how often it repeats.
func keptExtension(rest []byte) bool {
	switch rest[1] {
	case 0xf9:
		return true
	case 0xff:
		name := string(rest[3:min(14, len(rest))])
		return name == "NETSCAPE2.0" || name == "ANIMEXTS1.0"
	}
	return false
}

// colours is the size of a table of colours in bytes, from the flags that announce it.
func colours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// cleanBMP looks at the size only: the format has no place for more.
func cleanBMP(data []byte) ([]byte, picture, error) {
	if len(data) < 26 {
		return nil, picture{}, broken("header")
	}
	side := func(at int) int64 { // negative heights mean that the lines go down
		n := int64(int32(binary.LittleEndian.Uint32(data[at:])))
		return max(n, -n)
	}
	return data, picture{width: side(18), height: side(22), frames: 1}, nil
}
