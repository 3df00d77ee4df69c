// What a client sees, told as it happens. Each push says what it is in "push":
//
//   login       who the client is; comes first
//   event       a timeline event that is new, or known and changed (decrypted, redacted)
//   membership  somebody's membership of a room; for our own, with who brought it about
//   receipt     somebody has read up to an event
//   typing      somebody started or stopped typing
//   sync        the state of the connection to the homeserver
//
// An encrypted event is told when it comes in and again when it is decrypted or found to be
// undecryptable, so the events of a room are told in the order of its timeline.

import { sdk, cryptoAPI } from "./sdk.mjs";

/** Tells everything that happens to a session from now on. */
export function watch(session, push) {
  const { client } = session;
  const told = new Map(); // "room user" to the membership told last
  const tell = async (event) => push({ push: "event", ...(await describe(session, event)) });

  client.on(sdk.RoomEvent.Timeline, (event, room, _toStart, removed) => {
    if (removed || !room || event.status) return; // no local echo: an event has been sent once it comes back
    const about = brief(event);
    push({ push: "event", ...about });
    if (about.encrypted && !about.pending) tell(event); // decrypted already: nothing more will be emitted
  });
  client.on(sdk.MatrixEventEvent.Decrypted, (event) => {
    if (event.getRoomId() && event.getId()) tell(event);
  });
  client.on(sdk.RoomEvent.Redaction, (redaction, room) => {
    const target = room.findEventById(redaction.event.redacts ?? redaction.getContent().redacts);
    if (target) push({ push: "event", ...brief(target) });
  });
  client.on(sdk.RoomStateEvent.Members, (event, state, member) => {
    const key = `${member.roomId} ${member.userId}`;
    if (told.get(key) === member.membership) return;
    told.set(key, member.membership);
    push({ push: "membership", room_id: member.roomId, user_id: member.userId,
      membership: member.membership, sender: event.getSender() });
  });
  client.on(sdk.RoomEvent.MyMembership, (room, membership) => {
    const key = `${room.roomId} ${client.getUserId()}`;
    if (told.get(key) === membership) return;
    told.set(key, membership);
    const event = room.getMember(client.getUserId())?.events.member;
    push({ push: "membership", room_id: room.roomId, user_id: client.getUserId(),
      membership, sender: event?.getSender() ?? "" });
  });
  client.on(sdk.RoomEvent.Receipt, (event, room) => {
    for (const [eventId, kinds] of Object.entries(event.getContent())) {
      for (const [kind, users] of Object.entries(kinds)) {
        for (const userId of Object.keys(users)) {
          push({ push: "receipt", room_id: room.roomId, event_id: eventId, user_id: userId, kind });
        }
      }
    }
  });
  client.on(sdk.RoomMemberEvent.Typing, (_event, member) => {
    push({ push: "typing", room_id: member.roomId, user_id: member.userId, typing: member.typing });
  });
  client.on(sdk.ClientEvent.Sync, (state) => push({ push: "sync", state }));
}

/** An event with what needs a question to the crypto library. */
export async function describe(session, event) {
  const readable = event.isEncrypted() && !event.isRedacted() && !event.isDecryptionFailure();
  const shield = readable ? await shieldOf(session, event) : null;
  return { ...brief(event), shield: shield ?? undefined }; // brief after waiting: it may have changed
}

/** An event as it stands now. */
export function brief(event) {
  const encrypted = event.isEncrypted();
  const content = event.getOriginalContent(); // getContent() would be that of the latest edit
  return {
    room_id: event.getRoomId(),
    event_id: event.getId(),
    type: event.getType(),
    sender: event.getSender() ?? "",
    state_key: event.isState() ? event.getStateKey() : undefined,
    origin_server_ts: event.getTs(),
    content,
    encrypted,
    pending: encrypted && !event.isRedacted() && !event.clearEvent,
    decryption_error: event.decryptionFailureReason ?? undefined,
    redacted: event.isRedacted(),
    redacts: event.event.redacts ?? content.redacts,
    relates_to: event.getWireContent()?.["m.relates_to"] ?? content["m.relates_to"],
  };
}

/** What a client would show next to an event: null if it cannot say. */
export async function shieldOf(session, event) {
  const info = await session.crypto?.getEncryptionInfoForEvent(event);
  if (!info) return null;
  return {
    colour: cryptoAPI.EventShieldColour[info.shieldColour],
    reason: info.shieldReason === null ? "" : cryptoAPI.EventShieldReason[info.shieldReason],
  };
}
