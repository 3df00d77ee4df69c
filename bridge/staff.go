package bridge

import (
	"context"
	"errors"
	"strings"

	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/care"
	"github.com/spreekkamer/spreekkamer/store"
)

// FromConfig is the source of staff whom the configuration names.
const FromConfig = "config"

// TakeStaff enters the staff that the configuration names. Who was entered by a command stays;
// who the configuration named before and no longer does, goes, from every room. Who has chosen
// a name of their own keeps it. What changes
// and that the rooms have to follow is stored together, so that no crash comes in between.
func (b *Bridge) TakeStaff(ctx context.Context, named []care.Member) error {
	return b.Store.Transact(ctx, func(ctx context.Context) error {
		before, err := b.Store.StaffOf(ctx, "")
		if err != nil {
			return err
		}
		is := map[string]care.Member{}
		for _, m := range before {
			is[m.UserID] = m
		}
		changed := false
		for _, m := range named {
			if own := is[m.UserID]; own.OwnName {
				m.Name, m.OwnName = own.Name, true
			}
			changed = changed || is[m.UserID] != m
			delete(is, m.UserID)
			if err := b.Store.SaveStaff(ctx, m); err != nil {
				return err
			}
		}
		for user, m := range is {
			if m.Source != FromConfig {
				continue
			}
			changed = true
			if err := b.Store.RemoveStaff(ctx, user, b.Now()); err != nil {
				return err
			}
		}
		if !changed {
			return nil
		}
		return b.MendStaff(ctx)
	})
}

// addStaffCommand: !medewerker+ @user:server ROLE NAME…
func (b *Bridge) addStaffCommand(ctx context.Context, r request) error {
	if len(r.args) < 3 {
		return b.usage(ctx, r, "staff.add")
	}
	user, role := id.UserID(r.args[0]), care.Role(strings.ToLower(r.args[1]))
	// the practice's rooms do not leave our server: someone elsewhere could never come in
	if local, server, err := user.Parse(); err != nil || local == "" || server != b.Domain {
		return b.mistake(ctx, r, "error.staff_user")
	}
	if !care.KnownRole(role) {
		return b.mistake(ctx, r, "error.role")
	}
	name, err := care.StaffName(strings.Join(r.args[2:], " "))
	if err != nil {
		return b.mistake(ctx, r, "error.staff_name")
	}
	if is, known, err := b.Store.Staff(ctx, string(user)); err != nil {
		return err
	} else if known && is.Practice != r.room.Practice {
		return b.mistake(ctx, r, "error.staff_elsewhere")
	}
	m := care.Member{UserID: string(user), Role: role, Name: name, Practice: r.room.Practice, Source: "command"}
	return b.changeStaff(ctx, r, "staff.added", func(ctx context.Context) error { return b.Store.SaveStaff(ctx, m) })
}

// nameCommand: !naam NAME. Everyone chooses under which name patients see their answers; it is
// never a Matrix id. Beheer is told, and can set it anew.
func (b *Bridge) nameCommand(ctx context.Context, r request) error {
	if len(r.args) == 0 {
		return b.usage(ctx, r, "name")
	}
	name, err := care.StaffName(strings.Join(r.args, " "))
	if err != nil {
		return b.mistake(ctx, r, "error.staff_name")
	}
	return b.finish(ctx, r.place, func(ctx context.Context) error {
		m, known, err := b.Store.Staff(ctx, r.Sender) // Beheer may have decided about them meanwhile
		if err != nil || !known {
			return err
		}
		m.Name, m.OwnName = name, true
		audit := store.Audit{At: b.Now(), Actor: r.Sender, Action: "staff.named", EventID: r.EventID}
		if err := errors.Join(b.Store.SaveStaff(ctx, m), b.Store.AddAudit(ctx, audit)); err != nil {
			return err
		}
		if r.room.Kind != store.RoomBeheer {
			told := job("tell", beheer(r.room.Practice), body{Text: "staff.renamed", By: r.Sender, Practice: r.room.Practice})
			if err := b.add(ctx, told); err != nil {
				return err
			}
		}
		return b.add(ctx, b.reply(r.place, body{Text: "staff.named"}))
	})
}

// removeStaffCommand: !medewerker- @user:server
func (b *Bridge) removeStaffCommand(ctx context.Context, r request) error {
	if len(r.args) != 1 {
		return b.usage(ctx, r, "staff.remove")
	}
	m, known, err := b.Store.Staff(ctx, r.args[0])
	if err != nil {
		return err
	}
	if !known || m.Practice != r.room.Practice {
		return b.mistake(ctx, r, "error.staff_user")
	}
	return b.changeStaff(ctx, r, "staff.removed", func(ctx context.Context) error {
		return b.Store.RemoveStaff(ctx, m.UserID, b.Now())
	})
}

func (b *Bridge) listStaffCommand(ctx context.Context, r request) error {
	return b.answerCommand(ctx, r, body{Text: "staff.list"})
}

// changeStaff stores a change of staff and has the staff rooms mended: who is new is
// invited, who is gone is removed from them.
func (b *Bridge) changeStaff(ctx context.Context, r request, text string, change func(context.Context) error) error {
	return b.finish(ctx, r.place, func(ctx context.Context) error {
		if err := change(ctx); err != nil {
			return err
		}
		audit := store.Audit{At: b.Now(), Actor: r.Sender, Action: text, EventID: r.EventID}
		if err := b.Store.AddAudit(ctx, audit); err != nil {
			return err
		}
		mend := job("staff", beheer(r.room.Practice), body{Practice: r.room.Practice})
		return b.add(ctx, mend, b.reply(r.place, body{Text: text}))
	})
}
