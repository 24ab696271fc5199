// SPDX-License-Identifier: Apache-2.0

/**
 * The envelopes of deliveries, by the packages `@hpke/*` and what the documentation of `client/sdk/src/envelope.rs` says of
 * their forms. Nothing here comes from our own implementation.
 *
 * Reads a list of tasks as JSON on standard input and writes the list of results. Bytes are hexadecimal digits.
 *
 *   { suite, secret, place, envelope }            -> { content }
 *   { suite, recipients: [{ public, place }], content } -> { envelope }
 *
 * A place is { genesis, organisation, publisher, device, channel, recipient, sequence }.
 */

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';

const INFO = Buffer.from('dpki/delivery/1');
const CIPHER_KEY = Buffer.from('dpki/delivery/content/1');
const COMMITMENT = Buffer.from('dpki/delivery/commitment/1');
const TAG_LEN = 16;
const KEY_LEN = 32;
const NAME_LEN = 8;
const HEADER_LEN = 35;

/** The numbers of the suites on the chain. */
const SUITES = {
  1: { Kem: DhkemX25519HkdfSha256, encLen: 32, isShared: false },
  2: { Kem: XWing, encLen: 1120, isShared: false },
  3: { Kem: DhkemX25519HkdfSha256, encLen: 32, isShared: true },
  4: { Kem: XWing, encLen: 1120, isShared: true },
};

const bytes = (digits) => Buffer.from(digits, 'hex');
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const buffer = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

function hpke(Kem) {
  return new CipherSuite({ kem: new Kem(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() });
}

/** What an envelope is bound to: the fields one after the other, numbers in little endian. */
function binding(suite, place) {
  const sequence = Buffer.alloc(8);
  sequence.writeBigUInt64LE(BigInt(place.sequence));
  return Buffer.concat([
    bytes(place.genesis),
    bytes(place.organisation),
    bytes(place.publisher),
    bytes(place.device),
    Buffer.from([place.channel]),
    bytes(place.recipient),
    Buffer.from([suite]),
    sequence,
  ]);
}

async function seal({ Kem }, publicKey, aad, content) {
  const suite = hpke(Kem);
  const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(bytes(publicKey)));
  const sender = await suite.createSenderContext({ recipientPublicKey, info: buffer(INFO) });
  const ciphertext = await sender.seal(buffer(content), buffer(aad));
  return Buffer.concat([Buffer.from(sender.enc), Buffer.from(ciphertext)]);
}

async function open({ Kem, encLen }, secret, aad, sealed) {
  const suite = hpke(Kem);
  const recipientKey = await suite.kem.deserializePrivateKey(buffer(bytes(secret)));
  const enc = buffer(sealed.subarray(0, encLen));
  const recipient = await suite.createRecipientContext({ recipientKey, enc, info: buffer(INFO) });
  return Buffer.from(await recipient.open(buffer(sealed.subarray(encLen)), buffer(aad)));
}

const ALGORITHM = 'chacha20-poly1305';
const NONCE = Buffer.alloc(12);
const OPTIONS = { authTagLength: TAG_LEN };

async function sealShared(suite, number, recipients, content) {
  const contentKey = randomBytes(KEY_LEN);
  const count = Buffer.alloc(2);
  count.writeUInt16LE(recipients.length);
  const header = Buffer.concat([Buffer.from([1]), count, sha256(COMMITMENT, contentKey)]);
  const cipher = createCipheriv(ALGORITHM, sha256(CIPHER_KEY, contentKey), NONCE, OPTIONS);
  cipher.setAAD(header, { plaintextLength: content.length });
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  const slots = [];
  for (const { public: publicKey, place } of recipients) {
    const aad = Buffer.concat([binding(number, place), sha256(ciphertext)]);
    slots.push(bytes(place.recipient).subarray(0, NAME_LEN), await seal(suite, publicKey, aad, contentKey));
  }
  return Buffer.concat([header, ...slots, ciphertext]);
}

async function openShared(suite, number, secret, place, envelope) {
  const header = envelope.subarray(0, HEADER_LEN);
  if (header[0] !== 1) throw new Error('another version');
  const slotLen = NAME_LEN + suite.encLen + KEY_LEN + TAG_LEN;
  const end = HEADER_LEN + header.readUInt16LE(1) * slotLen;
  const ciphertext = envelope.subarray(end);
  const aad = Buffer.concat([binding(number, place), sha256(ciphertext)]);
  const name = bytes(place.recipient).subarray(0, NAME_LEN);
  for (let at = HEADER_LEN; at < end; at += slotLen) {
    if (!envelope.subarray(at, at + NAME_LEN).equals(name)) continue;
    const contentKey = await open(suite, secret, aad, envelope.subarray(at + NAME_LEN, at + slotLen));
    if (!sha256(COMMITMENT, contentKey).equals(header.subarray(3))) throw new Error('another content key');
    const cipher = createDecipheriv(ALGORITHM, sha256(CIPHER_KEY, contentKey), NONCE, OPTIONS);
    cipher.setAAD(header, { plaintextLength: ciphertext.length - TAG_LEN });
    cipher.setAuthTag(ciphertext.subarray(-TAG_LEN));
    return Buffer.concat([cipher.update(ciphertext.subarray(0, -TAG_LEN)), cipher.final()]);
  }
  throw new Error('no slot for this key');
}

async function carryOut(task) {
  const suite = SUITES[task.suite];
  if (task.envelope !== undefined) {
    const envelope = bytes(task.envelope);
    const content = suite.isShared
      ? await openShared(suite, task.suite, task.secret, task.place, envelope)
      : await open(suite, task.secret, binding(task.suite, task.place), envelope);
    return { content: content.toString('hex') };
  }
  const content = bytes(task.content);
  const [first] = task.recipients;
  const envelope = suite.isShared
    ? await sealShared(suite, task.suite, task.recipients, content)
    : await seal(suite, first.public, binding(task.suite, first.place), content);
  return { envelope: envelope.toString('hex') };
}

const results = [];
for (const task of JSON.parse(await text(process.stdin))) results.push(await carryOut(task));
process.stdout.write(JSON.stringify(results));
