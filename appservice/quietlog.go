package appservice

import (
	"context"
	"encoding/json"

	"github.com/rs/zerolog"
)

// The protocol library logs user IDs, URLs and whole request bodies. What it says is useful
// and may not be written down, so it gets a logger that lets through a fixed list of fields.

// loggable are the fields of the library's log lines that hold nothing personal.
var loggable = map[string]bool{
	"method": true, "status_code": true, "duration": true, "room_id": true, "event_id": true,
	"session_id": true, "event_type": true, "action": true, "req_id": true,
}

// unsaid are lines about errors that the caller gets as well, and about what happens every day.
var unsaid = map[string]bool{
	"Request failed": true, "Request canceled": true, "Request parsing failed": true,
	"Olm sender device not found in store or event, fetching from server": true,
}

type quietWriter struct{ to zerolog.Logger }

// quietLogger returns a logger for the library, from warnings up.
func quietLogger(to zerolog.Logger) zerolog.Logger {
	return zerolog.New(quietWriter{to}).Level(zerolog.WarnLevel)
}

// Write passes one log line on without what is personal.
func (q quietWriter) Write(line []byte) (int, error) {
	var fields map[string]any
	if json.Unmarshal(line, &fields) != nil {
		return len(line), nil
	}
	text, _ := fields[zerolog.LevelFieldName].(string)
	level, err := zerolog.ParseLevel(text)
	if err != nil {
		level = zerolog.WarnLevel
	}
	entry := q.to.WithLevel(level)
	for name, value := range fields {
		if loggable[name] {
			entry = entry.Interface(name, value)
		}
	}
	if cause, ok := fields[zerolog.ErrorFieldName].(string); ok {
		entry = entry.Str(zerolog.ErrorFieldName, scrub(cause))
	}
	if message, _ := fields[zerolog.MessageFieldName].(string); !unsaid[message] {
		entry.Msg(scrub(message))
	}
	return len(line), nil
}

// quiet makes the library log through our filter even when the caller's context carries a
// logger of its own, which it would otherwise prefer.
func (c *Client) quiet(ctx context.Context) context.Context {
	return c.libraryLog.WithContext(ctx)
}
