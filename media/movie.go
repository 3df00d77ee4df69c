package media

import "bytes"

// telling are the boxes in which devices write where and with what they filmed.
var telling = map[string]bool{"udta": true, "meta": true, "uuid": true}

// opened are the boxes in which those can lie.
var opened = map[string]bool{"moov": true, "trak": true, "mdia": true, "moof": true, "traf": true}

// shown are the kinds of tracks that people see or hear. Others hold what the device measured
// while filming, place and movement among it.
var shown = map[string]bool{
	"vide": true, "soun": true, "subt": true, "sbtl": true, "text": true, "clcp": true, "auxv": true, "pict": true, "tmcd": true,
}

// cleanMovie keeps what people see and hear.
func cleanMovie(data []byte) ([]byte, picture, error) {
	out := bytes.Clone(data)
	top, err := boxes(out, 0, len(out))
	if err != nil {
		return nil, picture{}, err
	}
	if _, found := find(top, "moov"); !found { // what the rest is cannot be known
		return nil, picture{}, broken("no header")
	}
	return out, picture{}, cleanBoxes(out, 0, len(out), 0)
}

func cleanBoxes(data []byte, start, stop, depth int) error {
	all, err := boxes(data, start, stop)
	if err != nil || depth > deepest {
		return broken("boxes")
	}
	for _, b := range all {
		switch {
		case telling[b.kind]:
			blank(data, b)
		case b.kind == "cmov": // compressed: nobody can see what is in it
			return broken("compressed header")
		case b.kind == "trak" && !isShown(data, b):
			if err := blankTrack(data, b); err != nil {
				return err
			}
		case opened[b.kind]:
			if err := cleanBoxes(data, b.body, b.stop, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func isShown(data []byte, track box) bool {
	handler, found := descend(data, track, "mdia", "hdlr")
	return found && handler.stop-handler.body >= 12 && shown[string(data[handler.body+8:handler.body+12])]
}

// blankTrack wipes what a track recorded, and then the track.
func blankTrack(data []byte, track box) error {
	table, found := descend(data, track, "mdia", "minf", "stbl")
	if found {
		if err := wipeSamples(data, table); err != nil {
			return err
		}
	}
	blank(data, track)
	return nil
}

// wipeSamples writes zeros over the samples of a track: chunk by chunk, as the three tables say
// where they lie (ISO/IEC 14496-12, 8.7).
func wipeSamples(data []byte, table box) error {
	sizes := entries(data, table, "stsz", 4, 4)
	runs := entries(data, table, "stsc", 0, 12)
	chunks := entries(data, table, "stco", 0, 4)
	if wide := entries(data, table, "co64", 0, 8); wide != nil {
		chunks = wide
	}
	one := int64(0) // the size of every sample, when they are all the same
	if b, found := descend(data, table, "stsz"); found && b.stop-b.body >= 12 {
		one = be32(data[b.body+4:])
	}
	w := wiper{data: data}
	for i, run := 0, 0; i < len(chunks); i++ {
		for run+1 < len(runs) && be32(runs[run+1]) <= int64(i+1) {
			run++
		}
		if len(runs) == 0 {
			return broken("sample table")
		}
		samples := be32(runs[run][4:])
		length := one * samples
		for ; one == 0 && samples > 0 && len(sizes) > 0; samples-- {
			length += be32(sizes[0])
			sizes = sizes[1:]
		}
		if err := w.wipe(place(chunks[i]), length, int64(len(data))); err != nil {
			return err
		}
	}
	return nil
}

// A wiper writes zeros, and counts: a file of which the same bytes are to be wiped again and
// again was made to keep us busy.
type wiper struct {
	data  []byte
	wiped int64
}

func (w *wiper) wipe(at, length, stop int64) error {
	if at < 0 || length < 0 || at > stop || length > stop-at {
		return broken("place in the file")
	}
	if w.wiped += length; w.wiped > 2*int64(len(w.data)) {
		return broken("the same place again and again")
	}
	clear(w.data[at : at+length])
	return nil
}

// entries are the rows of a table: after version and flags, and some fields of its own, it has
// the number of rows and the rows.
func entries(data []byte, parent box, kind string, skip, width int) (rows [][]byte) {
	b, found := descend(data, parent, kind)
	head := b.body + 4 + skip + 4
	if !found || head > b.stop {
		return nil
	}
	rows = [][]byte{}
	for n, at := be32(data[head-4:]), head; n > 0 && at+width <= b.stop; n, at = n-1, at+width {
		rows = append(rows, data[at:at+width])
	}
	return rows
}

// place is a position in a file, of 32 or 64 bits.
func place(row []byte) int64 {
	if len(row) == 8 {
		return be32(row)<<32 | be32(row[4:])
	}
	return be32(row)
}
