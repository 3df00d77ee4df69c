package app

import (
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/spreekkamer/spreekkamer/appservice"
	"github.com/spreekkamer/spreekkamer/bridge"
)

// The power levels of our rooms.
const (
	botPower      = 100
	redactPower   = 50 // who may remove what others wrote: the bot alone
	mutedPower    = 50 // what it takes to speak in a muted consulting room
	everyonePower = 0
)

// kinds says how each kind of room has to be.
var kinds = map[bridge.RoomKind]func(c chat, room bridge.Room, spec *appservice.RoomSpec){
	bridge.ConsultingRoom: func(c chat, room bridge.Room, spec *appservice.RoomSpec) {
		spec.Encrypted = true
		spec.PowerLevels = consultingLevels(c.UserID(), room.Open)
		spec.Servers = servers(c.domain, room.Invite)
		spec.Federate = len(spec.Servers) > 1 // a local patient's room never leaves the server
	},
	bridge.SpaceRoom: func(c chat, _ bridge.Room, spec *appservice.RoomSpec) {
		spec.RoomType = event.RoomTypeSpace
		spec.PowerLevels = staffLevels(c.UserID())
	},
	bridge.StaffRoom:        staffRoom,
	bridge.ConversationRoom: staffRoom,
}

func staffRoom(c chat, _ bridge.Room, spec *appservice.RoomSpec) {
	spec.Encrypted, spec.Restricted = true, true
	spec.PowerLevels = staffLevels(c.UserID())
}

func (c chat) spec(room bridge.Room) appservice.RoomSpec {
	spec := appservice.RoomSpec{Alias: room.Alias, Name: room.Name, Invite: room.Invite, Space: room.Space, Retention: c.retention}
	kinds[room.Kind](c, room, &spec)
	return spec
}

// servers are our own and those of the members, each once.
func servers(own string, members []id.UserID) []string {
	all := []string{own}
	for _, user := range members {
		if server := user.Homeserver(); !slices.Contains(all, server) {
			all = append(all, server)
		}
	}
	return all
}

// consultingLevels is the gate (requirement A9): muted, a patient can still react, leave
// and remove what they wrote.
func consultingLevels(bot id.UserID, open bool) *event.PowerLevelsEventContent {
	speak := mutedPower
	if open {
		speak = everyonePower
	}
	return &event.PowerLevelsEventContent{
		Users: map[id.UserID]int{bot: botPower}, UsersDefault: everyonePower, EventsDefault: speak,
		StateDefaultPtr: power(botPower), InvitePtr: power(botPower), KickPtr: power(botPower), BanPtr: power(botPower),
		RedactPtr: power(redactPower),
		Events: map[string]int{
			event.EventMessage.Type: speak, event.EventEncrypted.Type: speak, event.EventSticker.Type: speak,
			event.EventReaction.Type: everyonePower, event.EventRedaction.Type: everyonePower,
		},
	}
}

// staffLevels let staff talk, and the bot alone change the room.
func staffLevels(bot id.UserID) *event.PowerLevelsEventContent {
	pl := consultingLevels(bot, true)
	return pl
}

func power(level int) *int { return &level }
