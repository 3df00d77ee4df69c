package media

import "bytes"

// cleanHEIF wipes EXIF, XMP and other items that are no picture. How the picture has to be
// turned is a property of the picture here (irot), and stays.
func cleanHEIF(data []byte) ([]byte, picture, error) {
	out, p := bytes.Clone(data), picture{frames: 1}
	top, err := boxes(out, 0, len(out))
	if err != nil {
		return nil, p, err
	}
	meta, found := find(top, "meta")
	if !found || meta.stop-meta.body < 4 {
		return nil, p, broken("no description")
	}
	meta.body += 4 // version and flags
	inside, err := boxes(out, meta.body, meta.stop)
	if err != nil {
		return nil, p, err
	}
	if err := wipeItems(out, inside); err != nil {
		return nil, p, err
	}
	if p.width, p.height = largest(out, meta); p.width == 0 {
		return nil, p, broken("no size")
	}
	for _, b := range top {
		switch b.kind {
		case "uuid", "udta":
			blank(out, b)
		case "moov": // of a sequence
			if err := cleanBoxes(out, b.body, b.stop, 1); err != nil {
				return nil, p, err
			}
		}
	}
	return out, p, nil
}

// largest is the size of the largest picture in the file.
func largest(data []byte, meta box) (width, height int64) {
	properties, _ := descend(data, meta, "iprp", "ipco")
	all, err := boxes(data, properties.body, properties.stop)
	if err != nil {
		return 0, 0
	}
	for _, b := range all {
		if b.kind == "ispe" && b.stop-b.body >= 12 {
			w, h := be32(data[b.body+4:]), be32(data[b.body+8:])
			if float64(w)*float64(h) > float64(width)*float64(height) {
				width, height = w, h
			}
		}
	}
	return width, height
}

// wipeItems writes zeros over the items that are no picture.
func wipeItems(data []byte, meta []box) error {
	info, found := find(meta, "iinf")
	if !found {
		return broken("no list of items")
	}
	wiped, err := tellingItems(data, info)
	if err != nil || len(wiped) == 0 {
		return err
	}
	locations, found := find(meta, "iloc")
	if !found {
		return broken("no places of items")
	}
	own, _ := find(meta, "idat")
	return wipeAt(data, locations, own, wiped)
}

// tellingItems are the numbers of the items with EXIF, XMP, or something addressed by a name.
func tellingItems(data []byte, info box) (map[int64]bool, error) {
	head := 6 // version and flags, and a count of 16 bits
	if info.stop-info.body >= 8 && data[info.body] != 0 {
		head = 8
	}
	if info.stop-info.body < head {
		return nil, broken("list of items")
	}
	all, err := boxes(data, info.body+head, info.stop)
	if err != nil {
		return nil, err
	}
	items := map[int64]bool{}
	for _, b := range all {
		r := reader{data: data[b.body:b.stop]}
		version := r.number(1)
		r.number(3)
		width := 2
		if version >= 3 {
			width = 4
		}
		number := r.number(width)
		r.number(2)
		switch kind := string(r.take(4)); {
		case r.short:
			return nil, broken("item")
		case version < 2, kind == "Exif", kind == "mime", kind == "uri ":
			items[number] = true
		}
	}
	return items, nil
}

// wipeAt goes through the places of all items (ISO/IEC 14496-12, 8.11.3).
func wipeAt(data []byte, locations, own box, wiped map[int64]bool) error {
	r := reader{data: data[locations.body:locations.stop]}
	version := r.number(1)
	r.number(3)
	sizes := r.number(2)
	offsetSize, lengthSize, baseSize, indexSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	wide := 2
	if version == 2 {
		wide = 4
	}
	if version == 0 {
		indexSize = 0
	}
	w := wiper{data: data}
	for n := r.number(wide); n > 0 && !r.short; n-- {
		number, method := r.number(wide), int64(0)
		if version > 0 {
			method = r.number(2) & 15
		}
		r.number(2)
		base := r.number(baseSize)
		for extents := r.number(2); extents > 0 && !r.short; extents-- {
			r.number(indexSize)
			at, length := base+r.number(offsetSize), r.number(lengthSize)
			if !wiped[number] {
				continue
			}
			if err := w.wipeExtent(own, method, at, length); err != nil {
				return err
			}
		}
	}
	if r.short {
		return broken("places of items")
	}
	return nil
}

// wipeExtent wipes a part of an item: in the file (0) or in the box for small items (1).
func (w *wiper) wipeExtent(own box, method, at, length int64) error {
	stop := int64(len(w.data))
	if method == 1 {
		at, stop = at+int64(own.body), int64(own.stop)
	}
	if method > 1 || length == 0 { // elsewhere, or up to an end that is not said
		return broken("place of an item")
	}
	return w.wipe(at, length, stop)
}

// A reader takes numbers from data; short says that there was less than asked for.
type reader struct {
	data  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.short, r.data = true, nil
		return make([]byte, n)
	}
	taken := r.data[:n]
	r.data = r.data[n:]
	return taken
}

func (r *reader) number(width int) (n int64) {
	for _, b := range r.take(width) {
		n = n<<8 | int64(b)
	}
	return n
}
