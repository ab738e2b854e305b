import { describe, expect, test } from "vitest";
import { settle } from "./support/fake-clock.ts";
import { id, queue, relayWorld as world, SOK } from "./support/relay-world.ts";

describe("being subscribed", () => {
  test("is known only once every queue is, not as soon as there is a connection", async () => {
    const { router, clock, relay, told } = world();
    expect(relay).toMatchObject({ hasQueues: false, isSubscribed: true });
    router.answer = ({ entityId }) => (entityId[23] === 2 ? null : SOK);
    relay.keep([queue(1), queue(2)]);
    expect(relay).toMatchObject({ hasQueues: true, isSubscribed: false });
    await clock.advance(1000);
    expect(told()).toEqual(["connected"]);
    expect(relay.isSubscribed).toBe(false);
    await clock.advance(10_000);
    expect(told()).toEqual(["up"]);
    expect(relay.isSubscribed).toBe(false);
    const late = router.session.requests.find(({ entityId }) => entityId[23] === 2);
    router.session.send({ ...late, message: SOK });
    await settle();
    expect(relay.isSubscribed).toBe(true);
    relay.forget(id(1));
    relay.forget(id(2));
    expect(relay).toMatchObject({ hasQueues: false, isSubscribed: true });
  });

  test("ends with the connection, and comes back with it", async () => {
    const { router, clock, relay } = world();
    relay.keep([queue(1)]);
    await clock.advance(1000);
    expect(relay.isSubscribed).toBe(true);
    router.session.socket.drop();
    await settle();
    expect(relay.isSubscribed).toBe(false);
    await clock.advance(1000);
    expect(relay.isSubscribed).toBe(true);
  });

  test("does not count while it is not known whether the connection still lives", async () => {
    const { router, clock, relay } = world();
    relay.keep([queue(1)]);
    await clock.advance(1000);
    relay.online();
    expect(relay.isSubscribed).toBe(false);
    await settle();
    expect(relay.isSubscribed).toBe(true);
    const { answer } = router;
    router.answer = () => null;
    relay.online();
    await clock.advance(4_999);
    expect(relay.isSubscribed).toBe(false);
    router.answer = answer;
    await clock.advance(2_000);
    expect(router.sessions.length).toBe(2);
    expect(relay.isSubscribed).toBe(true);
  });
});
