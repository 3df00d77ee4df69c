// A session is one logged-in client. Its crypto store is in memory: it lives as long as the
// session, and a later login of the same user is a new device.

import { sdk, cryptoAPI } from "./sdk.mjs";
import { watch } from "./push.mjs";

// Private cross-signing keys of the users of this process, so that a second device of a user
// is signed by the same identity. Real clients get them from secret storage.
const identities = new Map();

/**
 * Logs in with a password, starts to sync and makes the device trusted.
 *
 * bootstrap: "auto" (default): the device is signed by its user's cross-signing identity, which
 * is made if the user has none; "none": it is not signed; "reset": a new identity is made even
 * if there is one, as when somebody has lost all keys.
 * signedOnly: shares no keys with unsigned devices and shows nothing from them (MSC4153).
 */
export async function login({ baseUrl, user, password, bootstrap = "auto", signedOnly = false, deviceName }, push) {
  const reply = await sdk.createClient({ baseUrl }).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
    initial_device_display_name: deviceName ?? "end-to-end test",
  });
  const session = new Session(baseUrl, reply);
  push({ push: "login", user_id: reply.user_id, device_id: reply.device_id, access_token: reply.access_token });
  await session.client.initRustCrypto({ useIndexedDB: false });
  if (signedOnly) {
    session.crypto.setDeviceIsolationMode(new cryptoAPI.OnlySignedDevicesIsolationMode());
  }
  watch(session, push);
  const synced = session.firstSync();
  await session.client.startClient({ initialSyncLimit: 30, pendingEventOrdering: sdk.PendingEventOrdering.Detached });
  await synced;
  if (bootstrap !== "none") await session.sign(password, bootstrap === "reset");
  return session;
}

export class Session {
  #queues = new Map(); // room id to the end of its queue
  #resume = null; // set while syncing is paused
  #paused = null;
  #withheldFrom = ""; // user who gets no keys for now
  #withheld = []; // what would have been sent to them

  constructor(baseUrl, { user_id: userId, device_id: deviceId, access_token: accessToken }) {
    this.client = sdk.createClient({
      baseUrl,
      userId,
      deviceId,
      accessToken,
      fetchFn: (resource, options) => this.#fetch(resource, options),
    });
  }

  get crypto() {
    return this.client.getCrypto();
  }

  // A paused client is one that cannot hear: answers to /sync are held back.
  async #fetch(resource, options) {
    const response = await fetch(resource, this.#withoutKeys(new URL(resource).pathname, options));
    if (this.#paused && new URL(resource).pathname.endsWith("/sync")) await this.#paused;
    return response;
  }

  // Takes what is meant for a user out of a to-device request, and keeps it.
  #withoutKeys(path, options) {
    if (!this.#withheldFrom || !path.includes("/sendToDevice/m.room.encrypted/")) return options;
    const body = JSON.parse(options.body);
    const theirs = body.messages[this.#withheldFrom];
    if (!theirs) return options;
    this.#withheld.push({ [this.#withheldFrom]: theirs });
    delete body.messages[this.#withheldFrom];
    return { ...options, body: JSON.stringify(body) };
  }

  /** Gives a user no keys until they are released, like a phone that goes out of reach. */
  withholdKeys(user) {
    this.#withheldFrom = user;
  }

  /** Sends what was withheld. */
  async releaseKeys() {
    this.#withheldFrom = "";
    for (const messages of this.#withheld.splice(0)) {
      const txn = `late${this.client.makeTxnId()}`;
      await this.client.http.authedRequest("PUT", `/sendToDevice/m.room.encrypted/${txn}`, undefined, { messages });
    }
  }

  pause() {
    if (!this.#paused) this.#paused = new Promise((resolve) => (this.#resume = resolve));
  }

  resume() {
    this.#resume?.();
    this.#paused = this.#resume = null;
  }

  firstSync() {
    return new Promise((resolve, reject) => {
      const listen = (state, _previous, data) => {
        if (state !== "PREPARED" && state !== "ERROR") return;
        this.client.off(sdk.ClientEvent.Sync, listen);
        if (state === "PREPARED") resolve();
        else reject(data?.error ?? new Error("the first sync failed"));
      };
      this.client.on(sdk.ClientEvent.Sync, listen);
    });
  }

  /** Signs this device with the user's cross-signing identity. */
  async sign(password, reset) {
    const userId = this.client.getUserId();
    const known = identities.get(userId);
    if (known && !reset) {
      await this.crypto.userHasCrossSigningKeys(userId, true); // reads them from the server
      await this.crypto.olmMachine.importCrossSigningKeys(
        known.masterKey, known.self_signing_key, known.userSigningKey);
      await this.crypto.crossSignDevice(this.client.getDeviceId());
      await this.crypto.userHasCrossSigningKeys(userId, true); // so that we see our own signature
      return;
    }
    if (!reset && (await this.crypto.userHasCrossSigningKeys(userId, true))) return; // not ours to replace
    await this.crypto.bootstrapCrossSigning({
      setupNewCrossSigning: true,
      authUploadDeviceSigningKeys: (upload) => withPassword(upload, userId, password),
    });
    identities.set(userId, await this.crypto.olmMachine.exportCrossSigningKeys());
  }

  /** Runs a task after the ones that were asked for earlier in the same room. */
  inOrder(room, task) {
    const before = this.#queues.get(room) ?? Promise.resolve();
    const result = before.then(task);
    this.#queues.set(room, result.catch(() => {}));
    return result;
  }

  /**
   * The room, once the client knows that it is in it (and, if asked, that it is encrypted): a
   * client that sends before that would send in the clear.
   */
  async joinedRoom(roomId, { encrypted = false } = {}) {
    const ready = async () => {
      const room = this.client.getRoom(roomId);
      if (room?.getMyMembership() !== "join") return null;
      return !encrypted || (await this.crypto.isEncryptionEnabledInRoom(roomId)) ? room : null;
    };
    const deadline = AbortSignal.timeout(30_000);
    for (;;) {
      const next = new Promise((resolve) => this.client.once(sdk.ClientEvent.Sync, resolve));
      const room = await ready();
      if (room) return room;
      await Promise.race([next, aborted(deadline, `not joined to ${roomId} after 30 s`)]);
    }
  }

  async end(logout) {
    this.resume();
    if (logout) await this.client.logout(false);
    this.client.removeAllListeners();
    this.client.stopClient();
  }
}

function aborted(signal, message) {
  return new Promise((_, reject) => {
    const fail = () => reject(new Error(message));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}

// Some servers take a first identity without asking, others want the password again.
async function withPassword(upload, userId, password) {
  try {
    return await upload(null);
  } catch (error) {
    if (error.httpStatus !== 401 || !error.data?.session) throw error;
    return upload({
      type: "m.login.password",
      identifier: { type: "m.id.user", user: userId },
      password,
      session: error.data.session,
    });
  }
}
