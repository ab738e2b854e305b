import { describe, expect, it } from "vitest";
import { concat, EMPTY, fromHex, utf8 } from "#crypto/bytes";
import { encodePublicKey, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import { clearBlock, openClearBlock } from "#protocol/block";
import { decodeMessage } from "#protocol/commands";
import { encodeBatch, readBatch, readTransmission } from "#protocol/transmission";
import { named } from "../support/wire-client.ts";
import {
  chainOfTwo,
  expire,
  fate,
  greeted,
  type Greeted,
  helloBytes,
  type HelloParts,
  type Offer,
  offerBytes,
  readResponse,
  str,
  validOffer,
} from "./support/hello.ts";
import { encodeFrame, OPCODE } from "./support/raw-socket.ts";
import { pause, RelayBench } from "./support/relay-bench.ts";
import { mutate, seeded } from "./support/seeded.ts";

const bench = RelayBench.use();
const REFUSED = "1008 handshake refused";

async function open(): Promise<Greeted> {
  return greeted(await bench.raw());
}

/** What becomes of a connection whose client says this. */
async function fateOf(payload: (greeting: Greeted) => Uint8Array): Promise<string> {
  const greeting = await open();
  greeting.socket.send(clearBlock(payload(greeting)));
  const result = await fate(greeting.socket);
  greeting.socket.drop();
  return result;
}

const x25519 = (): Uint8Array => encodePublicKey(generateKeyPair("X25519").publicKey);
const hello = (change: Partial<HelloParts>) => ({ keyHash }: Greeted): Uint8Array =>
  helloBytes({ version: 19, keyHash, key: x25519(), ...change });

/** PING in a clear session, and how it is answered. */
function ping(version: number): Uint8Array {
  const sessionId = version < 7 ? str(EMPTY) : EMPTY;
  return encodeBatch([concat(Uint8Array.of(0), sessionId, str(utf8("ping")), str(EMPTY), utf8("PING"))]);
}

async function answers({ next, hello: { sessionId } }: Greeted, version: number): Promise<string[]> {
  const block = await next();
  if (!block) return ["closed"];
  return readBatch(openClearBlock(block)).map((bytes) => {
    const { command } = readTransmission({ version, sessionId }, bytes);
    return named(decodeMessage(command, version));
  });
}

describe.concurrent("a hello that is not one", () => {
  it("of noise closes the connection, hundreds at once, and the relay serves on", seeded(async (random) => {
    const fates = await Promise.all(Array.from({ length: 200 }, async (_, i) => {
      const greeting = await open();
      // A Word16 at the start of noise is nearly always too long; half of these are well padded.
      greeting.socket.send(i % 2 === 0 ? random.bytes(16_384) : clearBlock(random.bytes(random.below(300))));
      const { code, reason } = await greeting.socket.closed;
      return `${code} ${reason}`;
    }));
    expect(new Set(fates)).toEqual(new Set([REFUSED]));
    await bench.expectService();
  }));

  it("because it was cut at any byte closes it", async () => {
    const whole = hello({})(await open());
    const fates = await Promise.all(Array.from(whole, (_, length) => fateOf(() => whole.slice(0, length))));
    expect(new Set(fates)).toEqual(new Set([REFUSED]));
    expect(await fateOf(() => whole)).toBe("open");
    expect(await fateOf(() => concat(whole, randomBytes(500)))).toBe("open");
  });

  it("because something in it is broken is refused, or is a hello that means something", seeded(async (random) => {
    const fates = await Promise.all(Array.from({ length: 250 }, async () => {
      const greeting = await open();
      const version = random.pick([6, 7, 11, 14, 16, 19]);
      greeting.socket.send(clearBlock(mutate(random, hello({ version })(greeting)).bytes));
      const result = await fate(greeting.socket);
      greeting.socket.drop();
      return result;
    }));
    for (const result of fates) expect([REFUSED, "open"]).toContain(result);
    await bench.expectService();
  }));
});

describe.concurrent("a hello to another relay", () => {
  it("is refused whichever bit of the key hash differs, and whatever its length", async () => {
    const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
      bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    const flipped = Array.from({ length: 256 }, (_, bit) => ({ keyHash }: Greeted): Uint8Array =>
      helloBytes({ version: 19, key: x25519(), keyHash: flip(keyHash, bit) }));
    const otherLengths = [0, 1, 31, 33, 64, 255].map((length) => hello({ keyHash: randomBytes(length) }));
    const fates = await Promise.all([...flipped, ...otherLengths].map(fateOf));
    expect(new Set(fates)).toEqual(new Set([REFUSED]));
  });
});

describe.concurrent("a hello in a version", () => {
  it.each([0, 1, 5, 20, 21, 255, 256, 32_768, 65_535])("that is not spoken here is refused: %i", async (version) => {
    expect(await fateOf(hello({ version }))).toBe(REFUSED);
  });

  it.each([6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19])("that is spoken is taken: %i", async (version) => {
    expect(await fateOf(hello({ version }))).toBe("open");
  });
});

describe.concurrent("a client key", () => {
  // The points of low order of Curve25519 and their second encodings.
  const LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  ].map((point) => encodePublicKey({ algorithm: "X25519", raw: fromHex(point) }));

  it("of low order, with which blocks would be encrypted for everybody, is refused", async () => {
    for (const key of LOW_ORDER) expect(await fateOf(hello({ key }))).toBe(REFUSED);
    await bench.expectService();
  });

  it("of low order does no harm where nothing is encrypted with it", async () => {
    for (const change of [{ version: 10 }, { proxy: "T" }]) {
      for (const key of LOW_ORDER) expect(await fateOf(hello({ ...change, key }))).toBe("open");
    }
  });

  it("of another kind counts as none: where bytes may follow it blocks are clear, elsewhere the hello breaks", async () => {
    for (const algorithm of ["Ed25519", "Ed448", "X448"] as const) {
      const key = encodePublicKey(generateKeyPair(algorithm).publicKey);
      for (const version of [7, 11, 13]) {
        const greeting = await open();
        greeting.socket.send(clearBlock(hello({ version, key })(greeting)));
        greeting.socket.send(clearBlock(ping(version)));
        expect(await answers(greeting, version)).toEqual(["PONG"]);
      }
      for (const version of [14, 19]) expect(await fateOf(hello({ version, key }))).toBe(REFUSED);
    }
  });
});

describe.concurrent("a client out of step", () => {
  it("that says hello twice is told that its block is none, and goes on", async () => {
    const greeting = await open();
    const bytes = hello({ version: 10 })(greeting);
    for (const content of [bytes, bytes, ping(10)]) greeting.socket.send(clearBlock(content));
    expect(await answers(greeting, 10)).toEqual(["ERR BLOCK"]);
    expect(await answers(greeting, 10)).toEqual(["PONG"]);
  });

  it("that sends its first command with its hello is answered", async () => {
    for (let i = 0; i < 8; i++) {
      const greeting = await open();
      const blocks = [hello({ version: 10 })(greeting), ping(10)].map((content) => clearBlock(content));
      greeting.socket.bytes(concat(...blocks.map((payload) => encodeFrame({ opcode: OPCODE.binary, payload }))));
      expect(await answers(greeting, 10)).toEqual(["PONG"]);
    }
  });

  it("that commands before it says hello is refused, and nothing behind it is done", async () => {
    const greeting = await open();
    for (const content of [ping(10), hello({ version: 10 })(greeting), ping(10)]) greeting.socket.send(clearBlock(content));
    expect(await answers(greeting, 10)).toEqual(["closed"]);
    expect(await fate(greeting.socket)).toBe(REFUSED);
  });

  it("that says nothing, before or after its hello, disturbs nobody", async () => {
    const silent = await Promise.all(Array.from({ length: 50 }, () => open()));
    for (const [i, greeting] of silent.entries()) if (i % 2 === 0) greeting.socket.send(clearBlock(hello({})(greeting)));
    await pause(100);
    await bench.expectService();
    for (const { socket } of silent) expect(await fate(socket)).toBe("open");
    for (const { socket } of silent) socket.drop();
  });
});

describe.concurrent("a service's offer", () => {
  const otherKey = generateKeyPair("Ed25519");
  const two = chainOfTwo();
  const [leaf = EMPTY, ca = EMPTY] = two.chain;
  const good = validOffer();
  const [own = EMPTY] = good.chain;
  const session = generateKeyPair("Ed25519").publicKey;
  const broken = (at: number): Uint8Array => own.map((byte, i) => (i === own.length - at ? byte ^ 1 : byte));
  const bad: Readonly<Record<string, Offer>> = {
    "a certificate that ended in 2020": { ...good, chain: [expire(own, good.key.secretKey)] },
    "a certificate of tomorrow": validOffer(Date.now() + 86_400_000),
    "a key signed by somebody else": { ...good, signedKey: signKey(session, otherKey.secretKey) },
    "a key for another purpose": { ...good, signedKey: signKey(generateKeyPair("X25519").publicKey, good.key.secretKey) },
    "a chain in the wrong order": { chain: [ca, leaf], signedKey: signKey(session, two.leaf.secretKey) },
    "a CA that did not sign the leaf": { chain: [leaf, own], signedKey: signKey(session, two.leaf.secretKey) },
    "a leaf with a broken signature": {
      chain: [leaf.with(leaf.length - 1, (leaf.at(-1) ?? 0) ^ 1), ca],
      signedKey: signKey(session, two.leaf.secretKey),
    },
    "a chain of five": { chain: [leaf, ca, ca, ca, ca], signedKey: signKey(session, two.leaf.secretKey) },
  };
  /** What is not even the frame of something signed. */
  const malformed: Readonly<Record<string, Offer>> = {
    "noise for a certificate": { ...good, chain: [randomBytes(300)] },
    "an empty certificate": { ...good, chain: [EMPTY] },
    "noise for a key": { ...good, signedKey: randomBytes(120) },
    "no key": { ...good, signedKey: EMPTY },
    "a chain of 255": { chain: Array.from({ length: 255 }, () => new Uint8Array(40).fill(0x30)), signedKey: good.signedKey },
    "one certificate as long as a block": { ...good, chain: [concat(fromHex("30823d00"), new Uint8Array(0x3d00))] },
    "lengths in DER that lie": { ...good, chain: [fromHex("3083ffffff30")] },
    "nothing but nested sequences": { ...good, chain: [concat(...Array.from({ length: 1000 }, () => fromHex("3080")))] },
  };

  it.each(Object.entries(bad))("with %s gets a third block that says no, and the connection ends", async (_, offer) => {
    for (const role of ["M", "N", "P"]) {
      const greeting = await open();
      greeting.socket.send(clearBlock(hello({ service: offerBytes({ ...offer, role }) })(greeting)));
      const block = await greeting.next();
      if (!block) throw new Error("no third block came");
      const error = { type: "handshake", handshakeErr: { type: "BAD_AUTH" } };
      expect(readResponse(block)).toEqual({ type: "rejected", error });
      expect(await fate(greeting.socket)).toBe("1008 service refused");
    }
  });

  it.each(Object.entries(malformed))("with %s is no hello", async (_, offer) => {
    expect(await fateOf(hello({ service: offerBytes({ ...offer, role: "M" }) }))).toBe(REFUSED);
  });

  it("that does not read at all is no hello", async () => {
    const offers = [
      offerBytes({ ...good, role: "X" }),
      offerBytes({ ...good, chain: [] }),
      concat(utf8("M"), Uint8Array.of(255), utf8("few")),
      offerBytes(good).slice(0, -1),
      EMPTY,
    ];
    for (const service of offers) expect(await fateOf(hello({ service }))).toBe(REFUSED);
  });

  it("with any broken byte in its certificate never passes for the one it was", seeded(async (random) => {
    const results = await Promise.all(Array.from({ length: 120 }, async () => {
      const greeting = await open();
      const chain = random.below(2) === 0 ? [broken(1 + random.below(64))] : [mutate(random, own).bytes];
      if (Buffer.from(chain[0] ?? EMPTY).equals(own)) return "rejected";
      greeting.socket.send(clearBlock(hello({ service: offerBytes({ ...good, chain }) })(greeting)));
      const block = await greeting.next();
      return block ? readResponse(block) : "closed";
    }));
    const known = await serviceId();
    for (const result of results) {
      if (typeof result === "object" && result.type === "accepted") expect(result.serviceId).not.toEqual(known);
    }
    await bench.expectService();
  }));

  async function serviceId(): Promise<Uint8Array> {
    const greeting = await open();
    greeting.socket.send(clearBlock(hello({ service: offerBytes(good) })(greeting)));
    const response = readResponse(await greeting.next() ?? EMPTY);
    greeting.socket.drop();
    if (response.type !== "accepted") throw new Error("the good offer was refused");
    return response.serviceId;
  }

  it("that is good is taken, also when the first command comes with it", async () => {
    const id = await serviceId();
    expect(id).toHaveLength(24);
    for (let i = 0; i < 8; i++) {
      const greeting = await open();
      // A proxy's blocks are clear.
      const bytes = hello({ proxy: "T", service: offerBytes(good) })(greeting);
      const blocks = [bytes, ping(19)].map((content) => clearBlock(content));
      greeting.socket.bytes(concat(...blocks.map((payload) => encodeFrame({ opcode: OPCODE.binary, payload }))));
      expect(readResponse(await greeting.next() ?? EMPTY)).toEqual({ type: "accepted", serviceId: id });
      expect(await answers(greeting, 19)).toEqual(["PONG"]);
    }
  });
});
