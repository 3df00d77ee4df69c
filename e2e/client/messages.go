package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
)

// What a client sends into one room arrives in the order of the calls, whatever its kind;
// different rooms do not wait for each other. All of it is encrypted if the room is, except
// reactions and redactions. The calls return the event id once the homeserver has the event.

// TextOptions are what can be chosen about a text.
type TextOptions struct {
	HTML    string // formatted text
	ReplyTo string // event that it answers
	TxnID   string // transaction id; a new one each time, for the SDK refuses one that is under way
}

// SendText sends a text message.
func (c *Client) SendText(ctx context.Context, room, body string) (event string, err error) {
	return c.SendTextWith(ctx, room, body, TextOptions{})
}

// SendTextWith is SendText with choices.
func (c *Client) SendTextWith(ctx context.Context, room, body string, o TextOptions) (event string, err error) {
	return c.send(ctx, "sendText", map[string]any{
		"room": room, "body": body, "html": o.HTML, "replyTo": o.ReplyTo, "txnId": o.TxnID,
	})
}

// SendRaw sends an event of any type.
func (c *Client) SendRaw(ctx context.Context, room, eventType string, content any) (event string, err error) {
	return c.send(ctx, "sendRaw", map[string]any{"room": room, "type": eventType, "content": content})
}

// A File is an attachment to send.
type File struct {
	Bytes    []byte
	Path     string // instead of Bytes
	Name     string
	MimeType string
	Caption  string         // shown instead of the name
	Info     map[string]any // added to the info of the message: w, h, duration, …
	MsgType  string         // empty: m.file, or m.image by SendImage
	Sticker  bool           // an event of its own instead of a message
	Extra    map[string]any // added to the content as it is

	Thumbnail     []byte // a small picture of it, uploaded too
	ThumbnailType string
}

// SendFile uploads an attachment, encrypted if the room is, and sends it.
func (c *Client) SendFile(ctx context.Context, room string, f File) (event string, err error) {
	event, _, err = c.Attach(ctx, room, f)
	return event, err
}

// Attach is SendFile, and returns the content that was sent: an edit of the caption repeats it.
func (c *Client) Attach(ctx context.Context, room string, f File) (event string, content map[string]any, err error) {
	if f.MsgType == "" {
		f.MsgType = "m.file"
	}
	args := map[string]any{"room": room, "msgtype": f.MsgType, "name": f.Name, "mimetype": f.MimeType, "caption": f.Caption}
	if f.Path != "" {
		args["path"] = f.Path
	} else {
		args["bytes"] = base64.StdEncoding.EncodeToString(f.Bytes)
	}
	if f.Info != nil {
		args["info"] = f.Info
	}
	if f.Sticker {
		args["msgtype"], args["type"] = "", "m.sticker"
	}
	if f.Thumbnail != nil {
		args["thumbnail"] = map[string]any{
			"bytes": base64.StdEncoding.EncodeToString(f.Thumbnail), "mimetype": f.ThumbnailType, "size": len(f.Thumbnail),
		}
	}
	if f.Extra != nil {
		args["extra"] = f.Extra
	}
	var sent struct {
		EventID string         `json:"event_id"`
		Content map[string]any `json:"content"`
	}
	err = c.call(ctx, "sendFile", args, &sent)
	return sent.EventID, sent.Content, err
}

// SendImage is SendFile of an image.
func (c *Client) SendImage(ctx context.Context, room string, f File) (event string, err error) {
	f.MsgType = "m.image"
	return c.SendFile(ctx, room, f)
}

// Edit puts another text in place of a message.
func (c *Client) Edit(ctx context.Context, room, event, body string) (edit string, err error) {
	return c.send(ctx, "edit", map[string]any{"room": room, "event": event, "body": body})
}

// React reacts to an event.
func (c *Client) React(ctx context.Context, room, event, key string) (reaction string, err error) {
	return c.send(ctx, "react", map[string]any{"room": room, "event": event, "key": key})
}

// Redact removes an event.
func (c *Client) Redact(ctx context.Context, room, event, reason string) (redaction string, err error) {
	return c.send(ctx, "redact", map[string]any{"room": room, "event": event, "reason": reason})
}

// ReadReceipt tells that the user has read up to an event.
func (c *Client) ReadReceipt(ctx context.Context, room, event string) error {
	return c.call(ctx, "readReceipt", map[string]any{"room": room, "event": event}, nil)
}

// Typing tells that the user types, or has stopped.
func (c *Client) Typing(ctx context.Context, room string, typing bool) error {
	return c.call(ctx, "typing", map[string]any{"room": room, "typing": typing}, nil)
}

// attached is where content points at files.
type attached struct {
	File json.RawMessage `json:"file,omitempty"`
	URL  string          `json:"url,omitempty"`
	Info struct {
		File json.RawMessage `json:"thumbnail_file"`
		URL  string          `json:"thumbnail_url"`
	} `json:"info"`
}

// Download gets the attachment of a message, checks its hash and decrypts it.
func (c *Client) Download(ctx context.Context, e Event) ([]byte, error) {
	var content attached
	if err := json.Unmarshal(e.Latest(), &content); err != nil {
		return nil, err
	}
	return c.download(ctx, content.File, content.URL)
}

// DownloadThumbnail gets the small picture that comes with an attachment.
func (c *Client) DownloadThumbnail(ctx context.Context, e Event) ([]byte, error) {
	var content attached
	if err := json.Unmarshal(e.Latest(), &content); err != nil {
		return nil, err
	}
	return c.download(ctx, content.Info.File, content.Info.URL)
}

func (c *Client) download(ctx context.Context, file json.RawMessage, url string) ([]byte, error) {
	var got struct{ Bytes []byte }
	args := map[string]any{"url": url}
	if file != nil {
		args["file"] = file
	}
	err := c.call(ctx, "downloadMedia", args, &got)
	return got.Bytes, err
}

func (c *Client) send(ctx context.Context, op string, args map[string]any) (event string, err error) {
	var sent struct {
		EventID string `json:"event_id"`
	}
	err = c.call(ctx, op, args, &sent)
	return sent.EventID, err
}
