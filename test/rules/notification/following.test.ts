import { describe, expect, it } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { type AuthAlgorithm, generateKeyPair, publicKeyOf } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { isAuthorizedBy } from "#protocol/authorize";
import { clearBlock, openClearBlock } from "#protocol/block";
import { err, type Message } from "#protocol/commands";
import { readClientHello } from "#protocol/handshake";
import type { Request } from "../../../src/relay/dispatch.ts";
import { identityFingerprint, makeIdentity } from "../../../src/relay/identity.ts";
import { FollowingTalk, type FollowTarget } from "../../../src/relay/notification/following.ts";
import { FollowingError, greetAsNotifier } from "../../../src/relay/notification/following-session.ts";
import { FOLLOWING } from "../../../src/relay/notification/limits.ts";
import { eventOf, followingSessions, hello, own } from "../../support/followed-relay.ts";
import { authSecret } from "../../support/queue-bench.ts";
import { named } from "../../support/wire-client.ts";

const NOW = 1_800_000_000_000;
const OK: Message = { tag: "OK" };

function target(algorithm: AuthAlgorithm = "Ed25519", change: Partial<FollowTarget> = {}): FollowTarget {
  const notifierKey = authSecret(generateKeyPair(algorithm));
  return { notifierId: randomBytes(24), subId: randomBytes(24), notifierKey, ...change };
}

const nmsg = (): Message => ({ tag: "NMSG", nonce: randomBytes(24), encMeta: randomBytes(144) });

/** A talk and the relay on its other side. */
function bench(version = 19) {
  const { near, far } = followingSessions(version);
  const talk = new FollowingTalk<FollowTarget>(near, NOW);
  const read = (blocks: readonly Uint8Array[]): readonly Request[] => blocks.flatMap((block) => far.read(block));
  return {
    talk,
    far,
    ask: (queues: readonly FollowTarget[], now = NOW) => read(talk.subscribe(queues, now)),
    answer: (requests: readonly Request[], message: (index: number) => Message = () => OK, now = NOW) =>
      far.write(requests.map(({ corrId, entityId }, i) => ({ corrId, entityId, message: message(i) })))
        .flatMap((block) => talk.hear(block, now)),
    tell: (entityId: Uint8Array, message: Message, now = NOW) =>
      far.write([eventOf(entityId, message)]).flatMap((block) => talk.hear(block, now)),
    tend: (now: number): readonly Request[] => {
      const ping = talk.tend(now);
      return ping ? read([ping]) : [];
    },
  };
}

describe("the hello to a relay whose queues are followed", () => {
  it.each(["web", "tls"] as const)("is a client's, once it has proven who it is (%s)", (kind) => {
    const { proof, block } = hello(kind);
    const greeted = greetAsNotifier(block, identityFingerprint(own), proof, Date.now());
    const said = readClientHello(openClearBlock(greeted.hello));
    expect(said).toMatchObject({ version: 19, proxyServer: false, service: null, keyHash: identityFingerprint(own) });
    expect(said.authPubKey).not.toBeNull();
    const stranger = identityFingerprint(makeIdentity("other.example", Date.now()));
    expect(() => greetAsNotifier(block, stranger, proof, Date.now())).toThrow("BAD_AUTH");
  });

  it("agrees on the newest version of both, and not on one without keys of its own", () => {
    const versions = [25, 19, 11, 10, 7].map((max) => followingSessions(max).near.version);
    expect(versions).toEqual([19, 19, 11, 10, 7]);
    expect(() => followingSessions(6)).toThrow("PROXY BROKER TRANSPORT VERSION");
  });
});

describe.each([19, 11, 10, 7])("queues of a relay of version %i", (version) => {
  it("are asked for with whichever keys they have, in as few blocks as hold them, and told of", () => {
    const { talk, far, answer, tell } = bench(version);
    const queues = Array.from({ length: 300 }, (_, i) => target((["Ed25519", "X25519"] as const)[i % 2]));
    const blocks = talk.subscribe(queues, NOW);
    expect(blocks.length).toBeLessThan(5);
    const requests = blocks.flatMap((block) => far.read(block));
    expect(requests.map(({ command }) => command.tag)).toEqual(queues.map(() => "NSUB"));
    expect(requests.map(({ entityId }) => entityId)).toEqual(queues.map(({ notifierId }) => notifierId));
    for (const [i, { auth }] of requests.entries()) {
      const key = queues[i]?.notifierKey;
      expect(key && isAuthorizedBy(auth, publicKeyOf<AuthAlgorithm>(key))).toBe(true);
    }
    expect(queues.some((queue) => talk.follows(queue))).toBe(false);
    const news = answer(requests, () => (version < 16 ? OK : { tag: "SOK", serviceId: null }));
    expect(news).toEqual(queues.map((queue) => ({ type: "event", queue, event: { type: "subscribed" } })));
    expect(queues.every((queue) => talk.follows(queue))).toBe(true);
    const [queue] = queues;
    const message = nmsg();
    expect(tell(queue?.notifierId ?? EMPTY, message)).toEqual([{ ...message, tag: undefined, type: "notified", queue }]);
  });
});

describe("what a relay says of a queue", () => {
  it("is what it answers to NSUB, be it an error or something that makes no sense", () => {
    const { ask, answer, talk } = bench();
    const answers: readonly Message[] = [
      OK,
      err({ type: "AUTH" }),
      err({ type: "BLOCKED", blockInfo: { reason: "spam" } }),
      { tag: "PONG" },
      err({ type: "INTERNAL" }),
      err({ type: "QUOTA" }),
      err({ type: "STORE", storeErr: "later" }),
    ];
    const queues = answers.map(() => target());
    const news = answer(ask(queues), (i) => answers[i] ?? OK);
    const said = news.map((one) =>
      one.type === "event" ? one.event.type === "refused" ? named(err(one.event.error)) : one.event.type : one.type
    );
    expect(said).toEqual(["subscribed", "ERR AUTH", "ERR BLOCKED reason=spam", "ERR PROXY BROKER UNEXPECTED \u0004PONG", "again", "again", "again"]);
    expect(queues.map((queue) => talk.follows(queue))).toEqual([true, false, false, false, false, false, false]);
    expect(queues.map((queue) => talk.knows(queue))).toEqual([true, true, true, true, false, false, false]);
  });

  it("is told once: after END and DELD it tells nothing more", () => {
    const { ask, answer, tell, talk } = bench();
    const queues = [target(), target()] as const;
    answer(ask(queues));
    const [{ notifierId: first }, { notifierId: second }] = queues;
    expect(tell(first, { tag: "END" })).toEqual([{ type: "event", queue: queues[0], event: { type: "ended" } }]);
    expect(tell(second, { tag: "DELD" })).toEqual([{ type: "event", queue: queues[1], event: { type: "deleted" } }]);
    expect([...tell(first, { tag: "END" }), ...tell(second, nmsg())]).toEqual([]);
    expect(queues.map((queue) => [talk.follows(queue), talk.knows(queue)])).toEqual([[false, true], [false, true]]);
  });

  it("counts as soon as it was asked: what waited may come before the answer", () => {
    const { ask, answer, tell, talk } = bench();
    const queue = target();
    const requests = ask([queue]);
    expect(tell(queue.notifierId, nmsg())).toMatchObject([{ type: "notified", queue }]);
    expect(answer(requests)).toMatchObject([{ event: { type: "subscribed" } }]);
    talk.forget(queue);
    expect(tell(queue.notifierId, nmsg())).toEqual([]);
  });

  it("must be about that queue", () => {
    const { ask, far, talk } = bench();
    const queue = target();
    const [request] = ask([queue]);
    const corrId = request?.corrId ?? EMPTY;
    const hear = (entityId: Uint8Array, message: Message) =>
      far.write([{ corrId, entityId, message }]).flatMap((block) => talk.hear(block, NOW));
    expect(hear(randomBytes(24), OK)).toEqual([]);
    expect(hear(EMPTY, OK)).toEqual([]);
    expect(hear(EMPTY, err({ type: "BLOCK" }))).toMatchObject([{ event: { type: "refused", error: { type: "BLOCK" } } }]);
    expect(hear(queue.notifierId, OK), "answered twice").toEqual([]);
  });
});

describe("a queue with a newer key", () => {
  it("goes to whose key is right", () => {
    const { ask, answer, tell, talk } = bench();
    const older = target();
    const newer = target("X25519", { notifierId: older.notifierId });
    answer(ask([older]));
    expect(answer(ask([newer]))).toEqual([
      { type: "event", queue: newer, event: { type: "subscribed" } },
      { type: "event", queue: older, event: { type: "ended" } },
    ]);
    expect([talk.follows(older), talk.follows(newer)]).toEqual([false, true]);
    expect(tell(older.notifierId, nmsg())).toMatchObject([{ queue: newer }]);
  });

  it("stays where it was when that is wrong", () => {
    const { ask, answer, tell, talk } = bench();
    const older = target();
    const wrong = target("Ed25519", { notifierId: older.notifierId });
    answer(ask([older]));
    const requests = ask([wrong]);
    expect(tell(older.notifierId, nmsg()), "meanwhile").toMatchObject([{ queue: older }]);
    expect(answer(requests, () => err({ type: "AUTH" }))).toMatchObject([{ queue: wrong, event: { type: "refused" } }]);
    expect([talk.follows(older), talk.follows(wrong)]).toEqual([true, false]);
    expect(tell(older.notifierId, nmsg())).toMatchObject([{ queue: older }]);
  });

  it("of the same subscription is asked for again, and an answer to the former key says nothing", () => {
    const { ask, answer, talk } = bench();
    const older = target();
    const newer = { ...older, notifierKey: authSecret(generateKeyPair("Ed25519")) };
    const first = ask([older]);
    talk.forget(older);
    const second = ask([newer]);
    expect(talk.knows(older)).toBe(false);
    expect(answer(first, () => err({ type: "AUTH" }))).toEqual([]);
    expect(answer(second)).toEqual([{ type: "event", queue: newer, event: { type: "subscribed" } }]);
  });
});

describe("a relay that", () => {
  it("is silent is asked whether it lives, and left when it does not answer", () => {
    const { ask, answer, talk, tend } = bench();
    answer(ask([target()]));
    expect(talk.tend(NOW + FOLLOWING.silence - 1)).toBeNull();
    const asked = NOW + FOLLOWING.silence;
    const pings = tend(asked);
    expect(pings.map(({ command, entityId }) => [command.tag, entityId])).toEqual([["PING", EMPTY]]);
    expect(answer(pings, () => ({ tag: "PONG" }), asked + 100)).toEqual([]);
    expect(talk.tend(asked + FOLLOWING.silence)).toBeNull();
    const again = asked + 100 + FOLLOWING.silence;
    expect(tend(again)).toHaveLength(1);
    expect(talk.tend(again + FOLLOWING.answer - 1)).toBeNull();
    expect(() => talk.tend(again + FOLLOWING.answer)).toThrow(FollowingError);
  });

  it("answers only some of what it is asked is left too", () => {
    const { ask, answer, talk } = bench();
    const requests = ask([target(), target()]);
    answer(requests.slice(1), () => OK, NOW + 1_000);
    expect(() => talk.tend(NOW + FOLLOWING.answer)).toThrow("does not answer");
  });

  it("has not answered yet is not asked for more than it may have to do at a time", () => {
    const { ask, answer, talk } = bench();
    const requests = ask(Array.from({ length: FOLLOWING.asked }, () => target()));
    expect(talk.room).toBe(0);
    answer(requests.slice(0, 10));
    expect(talk.room).toBe(10);
  });

  it("sends what nobody wants to know is left after some blocks", () => {
    const { ask, answer, tell } = bench();
    const queue = target();
    answer(ask([queue]));
    for (let i = 0; i < FOLLOWING.vainBlocks; i++) tell(randomBytes(24), nmsg());
    tell(queue.notifierId, nmsg());
    for (let i = 0; i < FOLLOWING.vainBlocks; i++) tell(queue.notifierId, { tag: "PONG" });
    expect(() => tell(randomBytes(24), nmsg())).toThrow("says nothing that was asked for");
  });

  it("floods is left, even with what was asked for", () => {
    const { ask, answer, tell, far, talk } = bench(10);
    const queue = target();
    answer(ask([queue]));
    const [block = EMPTY] = far.write([eventOf(queue.notifierId, nmsg())]);
    const flood = (): void => {
      for (let i = 0; i < FOLLOWING.blocksPerMinute; i++) talk.hear(block, NOW + 1);
    };
    expect(flood).toThrow("too many blocks");
    expect(tell(queue.notifierId, nmsg(), NOW + 60_000)).toHaveLength(1);
  });

  it("sends blocks that cannot be read, or of another session, is left", () => {
    const make = (blockOf: (far: ReturnType<typeof bench>["far"]) => Uint8Array, version = 19): (() => unknown) => {
      const { talk, far } = bench(version);
      return () => talk.hear(blockOf(far), NOW);
    };
    expect(make(() => clearBlock(Uint8Array.of(1, 0, 1, 0)))).toThrow(FollowingError);
    expect(make(() => randomBytes(16_384))).toThrow(FollowingError);
    expect(make((far) => far.block(Uint8Array.of(0)))).toThrow(FollowingError);
    expect(make((far) => far.block(Uint8Array.of(1, 0, 2, 0, 255)))).toThrow(FollowingError);
    expect(make(() => randomBytes(16_384), 10)).toThrow(FollowingError);
  });

  it("says what this version does not know is not heard", () => {
    const { talk, far, ask } = bench();
    const queue = target();
    const [request] = ask([queue]);
    const news = (corrId: Uint8Array, text: string) => {
      const bytes = [0, corrId.length, ...corrId, 24, ...queue.notifierId, ...new TextEncoder().encode(text)];
      return talk.hear(far.block(Uint8Array.of(1, 0, bytes.length, ...bytes)), NOW);
    };
    expect(news(EMPTY, "NEWS 1")).toEqual([]);
    expect(news(EMPTY, "NMSG")).toEqual([]);
    expect(news(request?.corrId ?? EMPTY, "NEWS 1")).toMatchObject([{ event: { type: "refused" } }]);
  });
});
