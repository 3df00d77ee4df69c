// Attachments: encrypted before they are uploaded, and decrypted after they were downloaded, as
// the specification says under "Sending encrypted attachments" (version v2 of the file object).

import { webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";

const { subtle } = webcrypto;
const unpadded = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

async function encrypt(plain) {
  const iv = new Uint8Array(16);
  webcrypto.getRandomValues(iv.subarray(0, 8)); // the other half is the block counter
  const key = await subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
  const sealed = Buffer.from(await subtle.encrypt({ name: "AES-CTR", counter: iv, length: 64 }, key, plain));
  const { k } = await subtle.exportKey("jwk", key);
  return {
    sealed,
    file: {
      v: "v2",
      key: { alg: "A256CTR", ext: true, k, key_ops: ["encrypt", "decrypt"], kty: "oct" },
      iv: unpadded(iv),
      hashes: { sha256: unpadded(await subtle.digest("SHA-256", sealed)) },
    },
  };
}

async function decrypt(sealed, file) {
  const hash = unpadded(await subtle.digest("SHA-256", sealed));
  if (hash !== file.hashes?.sha256) throw new Error("the attachment does not match its hash");
  const key = await subtle.importKey("jwk", file.key, { name: "AES-CTR" }, false, ["decrypt"]);
  return Buffer.from(await subtle.decrypt(
    { name: "AES-CTR", counter: Buffer.from(file.iv, "base64"), length: 64 }, key, sealed));
}

/**
 * Uploads bytes (base64) or a file and returns the content of a message of the given type, or of
 * an event that has none, such as a sticker. thumbnail is {bytes, mimetype, w, h}; extra is
 * added to the content as it is.
 */
export async function attachment(session, { room: roomId, msgtype, bytes, path, name, mimetype, caption, info = {}, thumbnail, extra = {} }) {
  const plain = path ? await readFile(path) : Buffer.from(bytes, "base64");
  const room = await session.joinedRoom(roomId);
  const encrypted = await session.crypto.isEncryptionEnabledInRoom(room.roomId);
  const content = {
    ...(msgtype ? { msgtype, filename: name } : {}),
    body: caption || name,
    info: { mimetype, size: plain.length, ...info },
    ...(await stored(session, plain, mimetype, encrypted)),
    ...extra,
  };
  if (thumbnail) {
    const { bytes: small, ...about } = thumbnail;
    const { file, url } = await stored(session, Buffer.from(small, "base64"), thumbnail.mimetype, encrypted);
    Object.assign(content.info, { thumbnail_info: about, ...(file ? { thumbnail_file: file } : { thumbnail_url: url }) });
  }
  return content;
}

// stored uploads a file, and returns what points at it.
async function stored(session, plain, mimetype, encrypted) {
  if (!encrypted) return { url: await upload(session, plain, mimetype) };
  const { sealed, file } = await encrypt(plain);
  return { file: { ...file, url: await upload(session, sealed, "application/octet-stream") } };
}

async function upload({ client }, bytes, type) {
  const { content_uri: uri } = await client.uploadContent(bytes, { type, includeFilename: false });
  return uri;
}

/** The bytes of an attachment as base64; file is the encrypted file's description, if it is one. */
export async function download({ client }, { file, url }) {
  const address = client.mxcUrlToHttp(file?.url ?? url, undefined, undefined, undefined, false, true, true);
  const response = await fetch(address, { headers: { Authorization: `Bearer ${client.getAccessToken()}` } });
  const body = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw httpError(response.status, body);
  return { bytes: (file ? await decrypt(body, file) : body).toString("base64") };
}

function httpError(status, body) {
  const error = new Error(`download: status ${status}: ${body.subarray(0, 300)}`);
  error.httpStatus = status;
  try {
    error.errcode = JSON.parse(body).errcode;
  } catch {
    // not an answer of the homeserver's own
  }
  return error;
}
