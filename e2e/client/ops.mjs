// The operations. Each takes a session and the arguments of the command, and returns what is
// written as the result. "ordered" ones wait for earlier ones in the same room.

import { sdk } from "./sdk.mjs";
import { brief, describe, shieldOf } from "./push.mjs";
import { attachment, download } from "./media.mjs";

const encryption = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
const path = (...parts) => `/${parts.map(encodeURIComponent).join("/")}`;
const ordered = (run) => ({ run, ordered: true });
const atOnce = (run) => ({ run, ordered: false });

const request = ({ client }, method, where, body, query) =>
  client.http.authedRequest(method, where, query, body);

const unsent = [sdk.EventStatus.NOT_SENT, sdk.EventStatus.QUEUED, sdk.EventStatus.ENCRYPTING];

async function send(session, room, type, content, txnId) {
  await session.joinedRoom(room);
  const reply = await session.client.sendEvent(room, null, type, content, txnId || undefined).catch((error) => {
    // What was refused must not block what comes after it, as it would in the SDK's queue.
    // What was sent already, and only waits for its echo, cannot be called off.
    const waiting = session.client.getRoom(room)?.getPendingEvents() ?? [];
    for (const event of waiting) if (unsent.includes(event.status)) session.client.cancelPendingEvent(event);
    throw error;
  });
  return { event_id: reply.event_id };
}

function text(body, html) {
  return html ? { msgtype: "m.text", body, format: "org.matrix.custom.html", formatted_body: html } : { msgtype: "m.text", body };
}

async function findEvent(session, room, eventId) {
  const known = session.client.getRoom(room)?.findEventById(eventId);
  if (known) return known;
  const raw = await session.client.fetchRoomEvent(room, eventId);
  const event = session.client.getEventMapper()({ room_id: room, ...raw });
  await session.client.decryptEventIfNeeded(event);
  return event;
}

const rooms = {
  createRoom: atOnce(async (session, { options = {}, encrypted = false }) => {
    const initial = [...(options.initial_state ?? []), ...(encrypted ? [encryption] : [])];
    const { room_id } = await session.client.createRoom({ room_version: "10", ...options, initial_state: initial });
    const isEncrypted = initial.some((event) => event.type === encryption.type);
    await session.joinedRoom(room_id, { encrypted: isEncrypted });
    return { room_id };
  }),
  invite: ordered((session, { room, user }) => session.client.invite(room, user)),
  join: atOnce(async (session, { room }) => {
    const { roomId } = await session.client.joinRoom(room);
    const joined = await session.joinedRoom(roomId);
    if (joined.hasEncryptionStateEvent()) await session.joinedRoom(roomId, { encrypted: true });
    return { room_id: roomId };
  }),
  leave: ordered((session, { room }) => session.client.leave(room)),
  kick: ordered((session, { room, user, reason }) => session.client.kick(room, user, reason)),
  state: atOnce((session, { room, type, key = "" }) => session.client.getStateEvent(room, type, key)),
  setState: ordered(async (session, { room, type, key = "", content }) => {
    const { event_id } = await session.client.sendStateEvent(room, type, content, key);
    return { event_id };
  }),
  members: atOnce(async (session, { room }) => {
    const { chunk } = await request(session, "GET", path("rooms", room, "members"));
    return chunk.map((event) => ({ user_id: event.state_key, membership: event.content.membership }));
  }),
  rooms: atOnce(async (session) => session.client.getRooms().map((room) => ({
    room_id: room.roomId, name: room.name, membership: room.getMyMembership(),
    encrypted: room.hasEncryptionStateEvent(), type: room.getType() ?? "",
  }))),
  invites: atOnce(async (session) => session.client.getRooms()
    .filter((room) => room.getMyMembership() === "invite")
    .map((room) => ({ room_id: room.roomId, name: room.name,
      inviter: room.getMember(session.client.getUserId())?.events.member?.getSender() ?? "" }))),
};

const messages = {
  sendText: ordered((session, { room, body, html, replyTo, txnId }) => {
    const content = text(body, html);
    if (replyTo) content["m.relates_to"] = { "m.in_reply_to": { event_id: replyTo } };
    return send(session, room, "m.room.message", content, txnId);
  }),
  sendRaw: ordered((session, { room, type, content, txnId }) => send(session, room, type, content, txnId)),
  sendFile: ordered(async (session, args) => {
    const content = await attachment(session, args);
    return { ...(await send(session, args.room, args.type ?? "m.room.message", content)), content };
  }),
  edit: ordered((session, { room, event, body, html }) => send(session, room, "m.room.message", {
    ...text(`* ${body}`, html && `* ${html}`),
    "m.new_content": text(body, html),
    "m.relates_to": { rel_type: "m.replace", event_id: event },
  })),
  react: ordered((session, { room, event, key }) => send(session, room, "m.reaction", {
    "m.relates_to": { rel_type: "m.annotation", event_id: event, key },
  })),
  redact: ordered(async (session, { room, event, reason, txnId }) => {
    const { event_id } = await session.client.redactEvent(room, event, txnId || undefined, reason ? { reason } : undefined);
    return { event_id };
  }),
  readReceipt: atOnce((session, { room, event, kind = "m.read" }) =>
    request(session, "POST", path("rooms", room, "receipt", kind, event), {})),
  typing: atOnce((session, { room, typing }) => session.client.sendTyping(room, typing, 30_000)),
};

const history = {
  // Reads the whole history that the user may see, oldest last, and tells every event of it.
  // Not by the SDK's timelines: these have holes after a long pause.
  backfill: atOnce(async (session, { room }) => {
    const map = session.client.getEventMapper({ preventReEmit: true });
    const events = [];
    for (let from; ; ) {
      const page = await request(session, "GET", path("rooms", room, "messages"), undefined,
        { dir: "b", limit: "100", ...(from ? { from } : {}) });
      events.push(...page.chunk.map((raw) => map({ room_id: room, ...raw })));
      if (!page.end || page.end === from || page.chunk.length === 0) break;
      from = page.end;
    }
    await Promise.all(events.map((event) => session.client.decryptEventIfNeeded(event)));
    return Promise.all(events.reverse().map((event) => describe(session, event)));
  }),
  getEvent: atOnce((session, { room, event }) => session.client.fetchRoomEvent(room, event)),
  downloadMedia: atOnce((session, args) => download(session, args)),
};

const crypto = {
  encryptionInfo: atOnce(async (session, { room, event }) => {
    const found = await findEvent(session, room, event);
    const { encrypted, decryption_error = "" } = brief(found);
    return { encrypted, decryption_error, ...(await shieldOf(session, found)) };
  }),
  cryptoStatus: atOnce(async (session) => {
    const { client } = session;
    const device = await session.crypto.getDeviceVerificationStatus(client.getUserId(), client.getDeviceId());
    return {
      ...(await session.crypto.getOwnDeviceKeys()),
      crossSigningReady: await session.crypto.isCrossSigningReady(),
      deviceSigned: device?.signedByOwner ?? false,
      version: session.crypto.getVersion(),
    };
  }),
  // The devices of anybody, and whether their owner has signed them.
  devices: atOnce(async (session, { user }) => {
    const devices = (await session.crypto.getUserDeviceInfo([user], true)).get(user) ?? new Map();
    return Promise.all([...devices.keys()].map(async (deviceId) => {
      const status = await session.crypto.getDeviceVerificationStatus(user, deviceId);
      return { device_id: deviceId, name: devices.get(deviceId).displayName ?? "", signed: status?.signedByOwner ?? false };
    }));
  }),
  withholdKeys: atOnce(async (session, { user }) => session.withholdKeys(user)),
  releaseKeys: atOnce((session) => session.releaseKeys()),

  // Encrypts a message without sending it; who sends it is up to the caller.
  encrypt: ordered(async (session, { room, type, content }) => {
    await session.joinedRoom(room, { encrypted: true });
    const event = new sdk.MatrixEvent({ type, content, room_id: room, sender: session.client.getUserId() });
    await session.crypto.encryptEvent(event, session.client.getRoom(room));
    return { content: event.getWireContent() };
  }),
  // Makes the next message start a new session, as after a device was lost.
  discardSession: atOnce((session, { room }) => session.crypto.forceDiscardSession(room)),
};

const connection = {
  whoami: atOnce((session) => session.client.whoami()),
  request: atOnce(async (session, { method, path: where, body, query, prefix }) => {
    const options = prefix === undefined ? {} : { prefix };
    return session.client.http.authedRequest(method, where, query, body, options);
  }),
  pauseSync: atOnce(async (session) => session.pause()),
  resumeSync: atOnce(async (session) => session.resume()),
};

export const operations = { ...rooms, ...messages, ...history, ...crypto, ...connection };
