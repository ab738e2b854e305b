import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, EMPTY } from "#crypto/bytes";
import { fingerprint } from "#crypto/certificate";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import { decodeMessage, encodeMessage, type Message, type MessageOf } from "#protocol/commands";
import { SimplexError, UnexpectedAnswerError } from "../../../client/errors.ts";
import { send } from "../../../client/smp/calls.ts";
import { ProxiedRelay } from "../../../client/smp/proxied-relay.ts";
import { acceptSession } from "../../../client/smp/proxy-session.ts";
import { SmpClient } from "../../../client/smp/client.ts";
import { mutated, mutations } from "../../support/mutate.ts";
import { connectTo } from "../support/connecting.ts";
import { FakeDestination, forwardTo } from "../support/fake-destination.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { type FakeRequest, FakeRouter, makeFakeIdentity } from "../support/fake-router.ts";
import { id } from "../support/client-world.ts";

const genuine = makeFakeIdentity();
const other = makeFakeIdentity();
const SERVER = { ...genuine.server, hosts: ["foreign.example.org"] };
const X25519 = generateKeyPair("X25519").publicKey;
const [leaf = EMPTY, ca = EMPTY] = genuine.certChain;
const [otherLeaf = EMPTY, otherCa = EMPTY] = other.certChain;

interface World {
  readonly router: FakeRouter;
  readonly destination: FakeDestination;
  readonly relay: ProxiedRelay;
}

async function world(): Promise<World> {
  const router = new FakeRouter();
  const destination = new FakeDestination(genuine);
  forwardTo(router, destination);
  const clock = new FakeClock();
  const proxy = new SmpClient(await connectTo(router, { clock }), { clock });
  return { router, destination, relay: new ProxiedRelay({ proxy, server: SERVER, clock }) };
}

describe("a proxy shows a destination", () => {
  type Pkey = MessageOf<"PKEY">;
  const withChain = (certChain: readonly Uint8Array[], signedKey: Uint8Array) => (pkey: Pkey): Pkey => ({
    ...pkey,
    certChainPubKey: { certChain, signedKey },
  });
  const genuineKey = signKey(X25519, genuine.key);
  const tooOld = makeFakeIdentity("Ed25519", Date.UTC(2200, 0, 1));

  test.each<[string, (pkey: Pkey) => Pkey]>([
    ["that is another relay with a chain of its own", withChain(other.certChain, signKey(X25519, other.key))],
    ["whose identity did not sign the leaf", withChain([otherLeaf, ca], signKey(X25519, other.key))],
    ["whose identity stands in the wrong place", withChain([otherLeaf, otherCa, ca], signKey(X25519, other.key))],
    ["whose session key another relay has signed", withChain(genuine.certChain, signKey(X25519, other.key))],
    ["whose session key is signed by nobody", withChain(genuine.certChain, randomBytes(120))],
    ["whose session key is of another algorithm", withChain(genuine.certChain, signKey(generateKeyPair("Ed25519").publicKey, genuine.key))],
    ["without an identity", withChain([leaf], genuineKey)],
    ["with too many certificates", withChain([leaf, ca, ca, ca, ca], genuineKey)],
    ["with certificates that are none", withChain([randomBytes(300), ca], genuineKey)],
    ["in a session without an id", (pkey) => ({ ...pkey, sessionId: EMPTY })],
    ["in a session whose id is too long for any command", (pkey) => ({ ...pkey, sessionId: randomBytes(43) })],
  ])("%s", async (_name, change) => {
    const { relay, router, destination } = await world();
    router.answer = ({ parsed }) => (parsed.tag === "PRXY" ? change(destination.pkey) : null);
    await expect(send(relay, id(1), null, EMPTY)).rejects.toMatchObject({ code: "PROXY", failure: "identity" });
    expect(router.session.commands).toEqual(["PRXY"]);
  });

  test("with certificates of another time", () => {
    const destination = new FakeDestination(tooOld);
    const server = { ...SERVER, keyHash: fingerprint(tooOld.certChain[1] ?? EMPTY) };
    const path = { host: "proxy", destination: "relay" };
    const accept = (now: number): unknown => acceptSession(path, server, destination.pkey, { min: 6, max: 19 }, now);
    expect(() => accept(Date.UTC(2026, 10, 23))).toThrow(expect.objectContaining({ failure: "identity" }));
    expect(accept(Date.UTC(2200, 1, 1))).toMatchObject({ version: 19 });
  });

  test("with a session key from which nothing secret can be made", async () => {
    const { relay, router, destination } = await world();
    const signedKey = signKey({ algorithm: "X25519", raw: new Uint8Array(32) }, genuine.key);
    router.answer = () => withChain(genuine.certChain, signedKey)(destination.pkey);
    await expect(send(relay, id(1), null, EMPTY)).rejects.toMatchObject({ code: "PROXY", failure: "identity" });
    expect(router.session.commands).toEqual(["PRXY"]);
  });

  test.each([[6, 7], [20, 30]])("that speaks only versions %i to %i", async (min, max) => {
    const { relay, destination } = await world();
    destination.versions = { min, max };
    await expect(send(relay, id(1), null, EMPTY)).rejects.toMatchObject({ code: "PROXY", failure: "host" });
  });

  test("by an answer that shows none", async () => {
    const { relay, router } = await world();
    router.answer = () => ({ tag: "PONG" });
    await expect(send(relay, id(1), null, EMPTY)).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });
});

describe("a proxy brings an answer", () => {
  /** Forwards as it should, then lets the proxy do with the answer what it likes. */
  function spoil({ router, destination }: World, change: (honest: MessageOf<"PRES">, request: FakeRequest) => Message | null): void {
    router.answer = (request) => {
      if (request.parsed.tag !== "PFWD") return destination.pkey;
      return change(destination.forwarded(request.parsed, request.corrId), request);
    };
  }

  test.each([0, 15, 16, 17, 100, 16_241])("with byte %i changed", async (place) => {
    const all = await world();
    spoil(all, (honest) => ({ ...honest, encResponse: honest.encResponse.map((byte, i) => (i === place ? byte ^ 0x80 : byte)) }));
    await expect(send(all.relay, id(1), null, EMPTY)).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ["cut", (bytes) => bytes.slice(0, -1)],
    ["empty", () => EMPTY],
    ["longer", (bytes) => concat(bytes, Uint8Array.of(0))],
    ["made up", (bytes) => randomBytes(bytes.length)],
  ])("that is %s", async (_name, change) => {
    const all = await world();
    spoil(all, ({ encResponse }) => ({ tag: "PRES", encResponse: change(encResponse) }));
    await expect(send(all.relay, id(1), null, EMPTY)).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  test("that it has brought before", async () => {
    const all = await world();
    const seen: MessageOf<"PRES">[] = [];
    spoil(all, (honest) => {
      seen.push(honest);
      return seen[0] ?? honest;
    });
    await send(all.relay, id(1), null, EMPTY);
    all.destination.answer = () => ({ tag: "ERR", error: { type: "AUTH" } });
    await expect(send(all.relay, id(1), null, EMPTY)).rejects.toBeInstanceOf(UnexpectedAnswerError);
    expect(seen).toHaveLength(2);
  });

  test("to the other of two commands", async () => {
    const all = await world();
    const held: { readonly honest: MessageOf<"PRES">; readonly request: FakeRequest }[] = [];
    spoil(all, (honest, request) => {
      held.push({ honest, request });
      return null;
    });
    const results = Promise.allSettled([send(all.relay, id(1), null, EMPTY), send(all.relay, id(2), null, EMPTY)]);
    while (held.length < 2) await settle();
    const [first, second] = held;
    if (!first || !second) throw new Error("two commands were expected");
    const { session } = all.router;
    session.send({ ...first.request, message: second.honest }, { ...second.request, message: first.honest });
    for (const result of await results) {
      expect(result).toMatchObject({ status: "rejected", reason: expect.any(UnexpectedAnswerError) as unknown });
    }
  });

  test("of its own: OK, or an error as if it were the destination's", async () => {
    for (const message of [{ tag: "OK" }, { tag: "PONG" }, { tag: "ERR", error: { type: "AUTH" } }] as Message[]) {
      const all = await world();
      spoil(all, () => message);
      const error = await send(all.relay, id(1), null, EMPTY).catch((reason: unknown) => reason);
      // Never a ProtocolError: that would make the agent drop a message for ever.
      expect(error).toBeInstanceOf(SimplexError);
      expect(error).toMatchObject({ code: message.tag === "ERR" ? "PROXY" : "UNEXPECTED" });
    }
  });
});

test("whatever a proxy changes, nothing but a typed error comes of it", async () => {
  const { relay, router, destination } = await world();
  const honest = router.answer;
  await fc.assert(
    fc.asyncProperty(mutations, fc.constantFrom("PRXY" as const, "PFWD" as const), async (list, when) => {
      router.answer = (request) => {
        const message = honest(request);
        if (request.parsed.tag !== when || !message) return message;
        try {
          return decodeMessage(mutated(encodeMessage(message, 19), list), 19);
        } catch {
          return { tag: "ERR", error: { type: "INTERNAL" } };
        }
      };
      // Each time another session.
      destination.sessionId = randomBytes(32);
      const error = await send(relay, id(1), null, EMPTY).then(() => null, (reason: unknown) => reason);
      expect(error === null || error instanceof SimplexError).toBe(true);
    }),
    { numRuns: 150 },
  );
});
