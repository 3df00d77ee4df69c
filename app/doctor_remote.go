package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The one room version in which muting and redaction work on every homeserver, and the
// difference between clocks that is still of no importance.
const (
	wantedRoomVersion = "10"
	clockTolerance    = 10 * time.Second
	originalsFor      = 24 * time.Hour
)

func homeserver(ctx context.Context, d *Doctor) (string, error) {
	kind, version, err := d.Server.Version(ctx)
	if err != nil {
		// Here the silence itself is the failure; in every other check it is a question mark.
		return "", fmt.Errorf("%s: %s", d.Config.Homeserver.URL, strings.TrimPrefix(err.Error(), ErrCannotTell.Error()+": "))
	}
	return fmt.Sprintf("%s %s at %s", kind, version, d.Config.Homeserver.URL), nil
}

func roomVersion(ctx context.Context, d *Doctor) (string, error) {
	versions, err := d.Server.RoomVersions(ctx)
	if err != nil {
		return "", err
	}
	if !slices.Contains(versions, wantedRoomVersion) {
		return "", fmt.Errorf("the homeserver makes rooms of %s only", strings.Join(versions, ", "))
	}
	return wantedRoomVersion + " is available", nil
}

func bot(ctx context.Context, d *Doctor) (string, error) {
	want := "@" + d.Config.Bot.Localpart + ":" + d.Config.Homeserver.Domain
	user, err := d.Server.Bot(ctx)
	if err != nil {
		return "", err
	}
	if user != want {
		return "", fmt.Errorf("our token acts as %s, not as %s", user, want)
	}
	return "the homeserver knows our token, for " + user, nil
}

// transactions can only arrive while Spreekkamer runs. Without them it hears everything by
// /sync, a little later.
func transactions(ctx context.Context, d *Doctor) (string, error) {
	if !d.Running(ctx) {
		return "", fmt.Errorf("%w: Spreekkamer is not running on %s", ErrCannotTell, d.Config.Listen)
	}
	if err := d.Server.Ping(ctx); err != nil {
		return "", err
	}
	return "the homeserver reaches us at " + d.Config.Address, nil
}

func clock(ctx context.Context, d *Doctor) (string, error) {
	theirs, err := d.Server.Clock(ctx)
	if err != nil {
		return "", err
	}
	// The header is in whole seconds, so that less than a second says nothing.
	difference := d.Now().Sub(theirs).Round(time.Second)
	if difference.Abs() > clockTolerance {
		return "", fmt.Errorf("our clock and the homeserver's differ by %s", difference.Abs())
	}
	return "the same as the homeserver's, within " + clockTolerance.String(), nil
}

func uploadSize(ctx context.Context, d *Doctor) (string, error) {
	limit, err := d.Server.UploadLimit(ctx)
	if err != nil {
		return "", err
	}
	if want := int64(d.Config.Relay.MaxFileSize); limit < want {
		return "", fmt.Errorf("the homeserver takes %d bytes, relay.max_file_size is %d", limit, want)
	}
	return fmt.Sprintf("the homeserver takes %d MB", limit/1e6), nil
}

func identity(ctx context.Context, d *Doctor) (string, error) {
	signed, err := d.Server.Signed(ctx)
	if err == nil && !signed {
		err = fmt.Errorf("a device of the bot is not signed by its identity")
	}
	return "every device of the bot is signed", err
}

func redactionRights(ctx context.Context, d *Doctor) (string, error) {
	rooms, err := d.Server.OwnRooms(ctx)
	if err != nil {
		return "", err
	}
	var powerless []string
	for _, r := range rooms {
		if r.Have < r.Redact {
			powerless = append(powerless, fmt.Sprintf("%s (has %d of %d)", r.Room, r.Have, r.Redact))
		}
	}
	if len(powerless) > 0 {
		return "", fmt.Errorf("the bot cannot redact in %s", strings.Join(powerless, ", "))
	}
	return fmt.Sprintf("complete; rooms that the bot made: %d", len(rooms)), nil
}

func mediaErasure(ctx context.Context, d *Doctor) (string, error) {
	admin, err := d.Server.Admin(ctx)
	if err == nil && !admin {
		err = fmt.Errorf("the bot is no administrator, so photos and files stay on the homeserver, unreadable")
	}
	return "the bot may erase media", err
}

func redactedOriginals(ctx context.Context, d *Doctor) (string, error) {
	kept, err := d.Server.RedactedFor(ctx)
	if err == nil && kept > originalsFor {
		err = fmt.Errorf("the homeserver keeps them for %s", kept)
	}
	return "the homeserver drops them at once, or within a day", err
}

func search(ctx context.Context, d *Doctor) (string, error) {
	on, err := d.Server.Search(ctx)
	if err == nil && on {
		err = fmt.Errorf("the homeserver indexes messages")
	}
	return "off on the homeserver", err
}
