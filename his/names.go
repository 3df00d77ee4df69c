package his

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// Names on disk. A patient number comes from staff and a file name from whoever sent
// it: neither may leave the folder, hide, become a device on Windows, or be longer
// than a file system takes (255 bytes with what we put around it).
const (
	maxDirName  = 64  // bytes
	maxFileName = 120 // bytes
	maxExt      = 12  // bytes
)

// devices are names that Windows keeps for itself, with any extension, and one of ours.
var devices = map[string]bool{"con": true, "prn": true, "aux": true, "nul": true, "conin$": true, "conout$": true, answersDir: true}

// dirName is a patient number as a directory. Different numbers give different names,
// also where case does not count, so that no two patients share a directory: a number
// that cannot be a name as it is gets a part of its hash, after a "~" that no number
// that can has.
func dirName(number string) string {
	if plainName(number) {
		return number
	}
	sum := sha256.Sum256([]byte(number))
	readable := strings.Map(func(r rune) rune {
		if plainRune(r) {
			return r
		}
		return '_'
	}, strings.ToLower(number))
	return cut(strings.Trim(readable, "-"), maxDirName-17) + "~" + hex.EncodeToString(sum[:8])
}

func plainName(s string) bool {
	device := devices[s] || len(s) == 4 && (strings.HasPrefix(s, "com") || strings.HasPrefix(s, "lpt"))
	return s != "" && len(s) <= maxDirName && !device && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool { return !plainRune(r) }) < 0
}

func plainRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}

// baseName starts the names of all files of an item, and sorts them.
func baseName(item Item) string { return fmt.Sprintf("%04d-%s", item.Seq, Mark(item.ID)) }

// Mark is by what a person finds a message in the record ("kenmerk"): 48 random bits of its name,
// which is enough within one conversation.
func Mark(id uuid.UUID) string { return hex.EncodeToString(id[:6]) }

// attachmentNames are the file names of an item's attachments, all different, also
// where case does not count.
func attachmentNames(item Item) (names []string) {
	taken := map[string]bool{}
	for _, a := range item.Attachments {
		name := fileName(a.Name)
		for n := 2; taken[strings.ToLower(name)]; n++ {
			ext := path.Ext(fileName(a.Name))
			name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(fileName(a.Name), ext), n, ext)
		}
		taken[strings.ToLower(name)] = true
		names = append(names, baseName(item)+"-"+name)
	}
	return names
}

// fileName is what is left of a sender's file name, without its directories. Letters of any script stay.
// "x.json" could pass for an item of ours and "x.part" for an unfinished one.
func fileName(sent string) string {
	sent = sent[strings.LastIndexAny(sent, `/\`)+1:]
	name := strings.TrimRight(strings.Map(fileRune, strings.ToValidUTF8(sent, "_")), " .")
	ext := path.Ext(name)
	if len(ext) > maxExt {
		ext = ""
	}
	stem := strings.Trim(cut(strings.TrimSuffix(name, ext), maxFileName-maxExt), " ._-")
	if stem == "" {
		stem = "bijlage"
	}
	return disarm(stem + ext)
}

func disarm(name string) string {
	switch dot := strings.LastIndexByte(name, '.'); {
	case dot < 0:
		return name
	case strings.EqualFold(name[dot:], ".json"), strings.EqualFold(name[dot:], CopyExt), strings.EqualFold(name[dot:], ".part"):
		return name[:dot] + "_" + name[dot+1:]
	default:
		return name
	}
}

func fileRune(r rune) rune {
	switch {
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), strings.ContainsRune(" .-_()", r):
		return r
	default:
		return '_'
	}
}

// cut keeps at most n bytes, and no half character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
