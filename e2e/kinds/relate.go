package kinds

import (
	"context"
	"maps"

	"github.com/spreekkamer/spreekkamer/e2e/client"
)

// What a message has to do with another one, or with people, where a client has no words of its own for it.

// SendInThread sends a text into the thread of a message.
func SendInThread(ctx context.Context, c *client.Client, room, root, label string) (event string, err error) {
	return c.SendRaw(ctx, room, "m.room.message", map[string]any{
		"msgtype": "m.text", "body": label, "m.relates_to": map[string]any{
			"rel_type": "m.thread", "event_id": root, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": root},
		}})
}

// SendMention sends a text that names who sends it by their address, in all the places where clients
// put one.
func SendMention(ctx context.Context, c *client.Client, room, label string) (event string, err error) {
	link := `<a href="https://matrix.to/#/` + c.UserID + `">ik</a>`
	return c.SendRaw(ctx, room, "m.room.message", map[string]any{
		"msgtype": "m.text", "body": "ik (" + c.UserID + ") noem mij " + label, "format": customHTML,
		"formatted_body": link + " (" + c.UserID + ") noem mij " + label,
		"m.mentions":     map[string]any{"user_ids": []string{c.UserID}}, "org.example.room": room, "via": []string{room},
	})
}

// Recaption puts another caption under a file that was sent with this content.
func Recaption(ctx context.Context, c *client.Client, room, event string, sent map[string]any, caption string) error {
	changed := maps.Clone(sent)
	changed["body"] = caption
	_, err := c.SendRaw(ctx, room, "m.room.message", map[string]any{
		"msgtype": sent["msgtype"], "body": "* " + caption, "m.new_content": changed,
		"m.relates_to": map[string]any{"rel_type": "m.replace", "event_id": event}})
	return err
}
