import { describe, expect, test } from "vitest";
import { openAesGcm, sealAesGcm } from "#crypto/aes-gcm";
import { EMPTY, fromHex, hex, utf8 } from "#crypto/bytes";
import { hkdf, sha256 } from "#crypto/hash";
import { pad } from "#crypto/pad";
import { decode, encode } from "#protocol/codec";
import { agreeAsInitiator, agreeAsJoiner, type Agreement, e2eParamsOf, e2eUriOf } from "../../client/ratchet/agree.ts";
import { decrypt } from "../../client/ratchet/decrypt.ts";
import { encryptBody, encryptHeader } from "../../client/ratchet/encrypt.ts";
import type { RatchetError } from "../../client/ratchet/errors.ts";
import { freshKeys } from "../../client/ratchet/keys.ts";
import { messageKeyFromOfficial, officialMessageKey, ratchetToOfficial } from "../../client/ratchet/official-state.ts";
import {
  chooseE2eParams,
  e2eParams,
  E2E_VERSIONS,
  formatE2eUri,
  parseE2eUri,
  proposedE2eParams,
} from "../../client/ratchet/parameters.ts";
import type { SkippedKey } from "../../client/ratchet/skipped.ts";
import { initInitiator, initJoiner, type RatchetState } from "../../client/ratchet/state.ts";
import {
  changed,
  errorFrom,
  keysOf,
  manyText,
  partiesFrom,
  ratchetVectors,
  type Session,
  stateFrom,
  type X3dh,
} from "../support/ratchet-vectors.ts";
import type { JsonObject } from "../support/vectors.ts";

const { aead, aesGcm12, hkdf: hkdfVectors, x3dh, sessions } = ratchetVectors;

describe("primitives of the official code", () => {
  test.each(aead)("AES-GCM with an IV of 16 bytes, $paddedLength bytes", (entry) => {
    const [key, iv, ad, ciphertext, tag] = [entry.key, entry.iv, entry.ad, entry.ciphertext, entry.tag].map(fromHex) as
      [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const padded = pad(fromHex(entry.plaintext), entry.paddedLength);
    expect(hex(padded)).toBe(entry.padded);
    const sealed = sealAesGcm(key, iv, padded, ad);
    expect([hex(sealed.ciphertext), hex(sealed.tag)]).toStrictEqual([entry.ciphertext, entry.tag]);
    expect(hex(openAesGcm(key, iv, ciphertext, tag, ad))).toBe(entry.padded);
  });

  test.each(aesGcm12)("AES-GCM with an IV of 12 bytes, for '$plaintext'", (entry) => {
    const sealed = sealAesGcm(fromHex(entry.key), fromHex(entry.iv), fromHex(entry.plaintext), EMPTY);
    expect([hex(sealed.ciphertext), hex(sealed.tag)]).toStrictEqual([entry.ciphertext, entry.tag]);
  });

  test.each(hkdfVectors)("HKDF for $info", (entry) => {
    const out = hkdf(fromHex(entry.salt), fromHex(entry.ikm), utf8(entry.info), entry.length);
    expect(hex(out)).toBe(entry.output);
  });
});

const agreements: readonly (readonly [string, X3dh])[] = [
  ...x3dh.map((entry) => [`${entry.kem}, version ${entry.e2eVersion} of ${entry.maxVersion}`, entry] as const),
  ...sessions.map((session) => [`session '${session.name}'`, session.x3dh] as const),
];

describe.each(agreements)("X3DH, %s", (_, entry) => {
  const { bob, alice } = partiesFrom(entry);
  const maxVersion = { maxVersion: entry.maxVersion };
  const proposal = decode(proposedE2eParams, fromHex(entry.receiver.paramsBinary));
  const reply = decode(e2eParams, fromHex(entry.sender.paramsBinary));

  test("the link and the reply have the official bytes", () => {
    expect(hex(encode(proposedE2eParams, e2eParamsOf(bob, entry.e2eVersion)))).toBe(entry.receiver.paramsBinary);
    expect(hex(encode(e2eParams, e2eParamsOf(alice, entry.e2eVersion)))).toBe(entry.sender.paramsBinary);
    const uri = e2eUriOf(bob, true, { min: E2E_VERSIONS.min, max: entry.maxVersion });
    expect(formatE2eUri(uri)).toBe(entry.receiver.paramsUri);
    expect(parseE2eUri(entry.receiver.paramsUri)).toStrictEqual(uri);
    const ours = { min: E2E_VERSIONS.min, max: entry.e2eVersion };
    expect(chooseE2eParams(uri, ours)).toStrictEqual({ ...proposal, kem: uri.kem });
  });

  test("both sides come to the same keys", () => {
    const [a, b] = [agreeAsJoiner(alice, proposal), agreeAsInitiator(bob, reply)];
    for (const agreed of [a, b]) {
      expect(hex(agreed.associatedData)).toBe(entry.init.assocData);
      expect(hex(agreed.headerKey)).toBe(entry.init.sndHK);
      expect(hex(agreed.nextHeaderKey)).toBe(entry.init.rcvNextHK);
      expect(hex(agreed.rootKey)).toBe(entry.init.ratchetKey);
    }
    const shared = ({ kem }: Agreement): string[] | undefined =>
      kem?.accepted ? [kem.accepted.secret, kem.accepted.ciphertext].map(hex) : undefined;
    expect(shared(b)).toStrictEqual(shared(a));
  });

  test("both ratchets begin as the official ones", () => {
    const source = { ...freshKeys, dhKeys: keysOf(stateFrom(entry.sender.ratchet)).dhKeys };
    const joiner = initJoiner(alice, proposal, { ...maxVersion, source });
    expect(ratchetToOfficial(joiner)).toStrictEqual(entry.sender.ratchet);
    const initiator = initInitiator(bob, reply, entry.receiver.pqSupport, maxVersion);
    expect(ratchetToOfficial(initiator)).toStrictEqual(entry.receiver.ratchet);
    expect(stateFrom(entry.receiver.ratchet)).toStrictEqual(initiator);
  });
});

/** Plays a session with our states only, the official ones to compare. */
class Player {
  readonly #states: Record<"Alice" | "Bob", RatchetState>;
  readonly #official: Record<"Alice" | "Bob", JsonObject>;
  readonly #skipped: Record<"Alice" | "Bob", readonly SkippedKey[]> = { Alice: [], Bob: [] };
  readonly #sent = new Map<string, Uint8Array>();
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
    this.#official = { Alice: session.x3dh.sender.ratchet, Bob: session.x3dh.receiver.ratchet };
    this.#states = { Alice: stateFrom(this.#official.Alice), Bob: stateFrom(this.#official.Bob) };
  }

  #encrypt(event: Extract<Session["events"][number], { op: "encrypt" }>): void {
    const options = { maxVersion: event.supportedE2EVersion };
    const pq = event.pqEnc === undefined ? {} : { pq: event.pqEnc ? "on" as const : "off" as const };
    const plaintext = fromHex(event.plaintext);
    const run = (): void => {
      const { state, key } = encryptHeader(this.#states[event.who], { ...options, ...pq });
      const ciphertext = encryptBody(key, plaintext, event.paddedLength);
      expect(hex(ciphertext)).toBe(event.ciphertext);
      const stored = encode(officialMessageKey, key);
      expect(hex(sha256(stored))).toBe(event.keyHash);
      expect(messageKeyFromOfficial(stored)).toStrictEqual(key);
      this.#sent.set(event.ciphertext, plaintext);
      this.#keep(event.who, state, event.changes);
    };
    if (event.error === undefined) run();
    else expect(run).toThrow(expect.objectContaining(errorFrom(event.error)) as RatchetError);
  }

  #encryptMany(event: Extract<Session["events"][number], { op: "encryptMany" }>): void {
    let state = this.#states[event.who];
    for (let number = 1; number <= event.count; number++) {
      const next = encryptHeader(state);
      const plaintext = manyText(number);
      this.#sent.set(hex(encryptBody(next.key, plaintext, event.paddedLength)), plaintext);
      ({ state } = next);
    }
    this.#keep(event.who, state, event.changes);
  }

  #ciphertext(event: Extract<Session["events"][number], { op: "decrypt" }>): Uint8Array {
    const origin = event.of === undefined ? event : this.#session.events[event.of];
    if (!origin || !("ciphertext" in origin) || origin.ciphertext === undefined) throw new Error("no ciphertext");
    const bytes = fromHex(origin.ciphertext).slice(0, event.cutTo);
    const [at, byte] = event.altered ?? [];
    if (at !== undefined && byte !== undefined) bytes[at] = byte;
    return bytes;
  }

  #decrypt(event: Extract<Session["events"][number], { op: "decrypt" }>): void {
    const message = this.#ciphertext(event);
    const before = this.#states[event.who];
    const after = stateFrom(changed(this.#official[event.who], event.changes));
    const { state, skipped, result } = decrypt(before, this.#skipped[event.who], message, keysOf(after));
    if (event.error === undefined) {
      const plaintext = this.#sent.get(hex(message));
      expect(result).toStrictEqual({ ok: true, plaintext });
      if (event.plaintext !== undefined) expect(hex(plaintext ?? EMPTY)).toBe(event.plaintext);
    } else {
      expect(result).toMatchObject({ ok: false, error: errorFrom(event.error) });
    }
    const expected = event.skipped ?? {};
    expect(skipped.add.map(({ headerKey, number, key, iv }) => [hex(headerKey), number, hex(key), hex(iv)]))
      .toStrictEqual("add" in expected ? expected.add : []);
    expect(skipped.remove.map(({ headerKey, number }) => [hex(headerKey), number]))
      .toStrictEqual("remove" in expected ? [expected.remove] : []);
    if (event.changes === undefined) expect(state).toStrictEqual(before);
    if (event.discard) {
      expect(ratchetToOfficial(state)).toStrictEqual(changed(this.#official[event.who], event.changes));
      return;
    }
    const removed = new Set(skipped.remove);
    this.#skipped[event.who] = [...this.#skipped[event.who].filter((key) => !removed.has(key)), ...skipped.add];
    this.#keep(event.who, state, event.changes);
  }

  #keep(who: "Alice" | "Bob", state: RatchetState, changes: JsonObject | undefined): void {
    this.#official[who] = changed(this.#official[who], changes);
    expect(ratchetToOfficial(state)).toStrictEqual(this.#official[who]);
    this.#states[who] = state;
  }

  play(event: Session["events"][number]): void {
    switch (event.op) {
      case "encrypt":
        return this.#encrypt(event);
      case "encryptMany":
        return this.#encryptMany(event);
      case "decrypt":
        return this.#decrypt(event);
    }
  }
}

describe("a conversation of two official clients, byte for byte", () => {
  test.each(sessions)("$name", (session) => {
    const player = new Player(session);
    for (const [at, event] of session.events.entries()) {
      try {
        player.play(event);
      } catch (cause) {
        throw new Error(`event ${at}, ${event.op} of ${event.who} (${event.note ?? "ordinary"})`, { cause });
      }
    }
  });
});
