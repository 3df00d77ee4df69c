package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size in bytes, written with a unit: 500kB, 25MB, 1GB (powers of 1000).
type Bytes int64

// Postcode is a Dutch postcode in the form 1234 or 1234AB.
type Postcode string

// Secret is a text that must not be seen in a log: it prints as stars. Convert it to a
// string to use it.
type Secret string

// String hides the secret.
func (s Secret) String() string { return strings.Repeat("*", min(len(s), 3)) }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from encoders, so also from structured logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseDuration reads a period in days, hours, minutes and seconds: 30d, 12h, 30s, 1d12h.
// Only whole seconds, and never less than nothing.
func ParseDuration(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is no period: write 30s, 15m, 12h, 30d or 1d12h", text)
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "0", text
	}
	n, err := strconv.ParseUint(days, 10, 16) // 16 bits: far below what overflows
	if err != nil || (rest == "" && !found) || strings.ContainsAny(rest, "+-") {
		return 0, wrong
	}
	var d time.Duration
	if rest != "" {
		if d, err = time.ParseDuration(rest); err != nil || d%time.Second != 0 {
			return 0, wrong
		}
	}
	total := time.Duration(n) * 24 * time.Hour
	if d > math.MaxInt64-total {
		return 0, wrong
	}
	return total + d, nil
}

var units = []struct {
	suffix string
	bytes  uint64
}{{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}

// ParseBytes reads a size with its unit.
func ParseBytes(text string) (Bytes, error) {
	for _, unit := range units {
		if number, ok := strings.CutSuffix(text, unit.suffix); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 32)
			if err == nil {
				return Bytes(n * unit.bytes), nil // #nosec G115 -- 32 bits times 1e9 fits
			}
		}
	}
	return 0, fmt.Errorf("%q is no size: write 500kB or 25MB", text)
}

// decodeValue turns what stands in YAML or the environment into the type of the setting. It
// refuses to guess: a phone number without quotes is a number to YAML and has lost its zero.
func decodeValue(from, to reflect.Type, value any) (any, error) {
	text, isText := value.(string)
	switch to {
	case reflect.TypeFor[time.Duration]():
		if isText {
			return ParseDuration(text)
		}
		return nil, errors.New("is no period: write 30s, 15m, 12h, 30d or 1d12h")
	case reflect.TypeFor[Bytes]():
		if isText {
			return ParseBytes(text)
		}
		return nil, errors.New("is no size: write 500kB or 25MB")
	case reflect.TypeFor[Postcode]():
		if n, ok := value.(int); ok { // no postcode starts with a zero, so nothing is lost
			return Postcode(strconv.Itoa(n)), nil
		}
		return Postcode(strings.ToUpper(strings.ReplaceAll(text, " ", ""))), nil
	case reflect.TypeFor[[]string]():
		if isText { // from the environment
			return splitList(text), nil
		}
	}
	if to.Kind() == reflect.Int && isText { // from the environment
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("%q is no number", text)
		}
		return n, nil
	}
	if to.Kind() == reflect.Bool && isText {
		yes, err := strconv.ParseBool(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		return yes, nil
	}
	if to.Kind() == reflect.String {
		return plainText(from, value)
	}
	return value, nil
}

// plainText accepts a text, and the dates that YAML recognises without being asked.
func plainText(from reflect.Type, value any) (any, error) {
	if at, ok := value.(time.Time); ok {
		return at.Format(time.DateOnly), nil
	}
	if from.Kind() != reflect.String {
		return nil, errors.New(`must be a text: put it between quotes, "like this"`)
	}
	return value, nil
}

func splitList(text string) []string {
	list := strings.Split(text, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}
