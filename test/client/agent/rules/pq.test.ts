import { describe, expect, it } from "vitest";
import { utf8 } from "#crypto/bytes";
import { enqueue } from "../../../../client/agent/rules/enqueue.ts";
import { type PqSwitch, switchPq } from "../../../../client/ratchet/state.ts";
import { collect, connectedAsInitiator, connectedAsJoiner, type Meeting } from "./support/meeting.ts";

/** A message each way, as official agents send: every one says whether the peer wants post-quantum encryption. */
async function exchange({ side, peer }: Meeting, receive: number, send: number, pq: PqSwitch): Promise<unknown[]> {
  const text = peer.text();
  if (!peer.ratchet) throw new Error("the peer has no ratchet");
  // The header of the message that goes with the wish is still as it was.
  peer.ratchet = switchPq(peer.ratchet, pq, 3);
  const { events, faults } = await side.receive(receive, text);
  expect(faults).toEqual([]);
  await side.step((step) => enqueue(step, { type: "A_MSG", body: utf8("answer") }, "message"));
  for (const body of await collect(side, send)) expect(peer.read(body)).toMatchObject({ message: { body: utf8("answer") } });
  return [events[0]?.type === "message" && events[0].pq, peer.ratchet.rcvKem];
}

const ON = [true, true];
const OFF = [false, false];

describe.each([
  ["made the invitation", connectedAsInitiator, 1, 2],
  ["joined", connectedAsJoiner, 2, 1],
] as const)("post-quantum encryption of a connection whose side %s", (_, meet, receive, send) => {
  it("goes when the peer turns it off, and comes back when the peer turns it on again", async () => {
    const meeting = await meet({ pq: true });
    const seen = async (times: number, pq: PqSwitch): Promise<unknown[]> => {
      const all: unknown[] = [];
      for (let i = 0; i < times; i++) all.push(await exchange(meeting, receive, send, pq));
      return all;
    };
    expect((await seen(2, "on")).at(-1)).toEqual(ON);
    expect((await seen(3, "off")).at(-1)).toEqual(OFF);
    expect((await seen(4, "on")).at(-1)).toEqual(ON);
  });

  it("never begins when this side does not want it", async () => {
    const meeting = await meet({ pq: false });
    for (let i = 0; i < 4; i++) expect(await exchange(meeting, receive, send, "on")).toEqual(OFF);
    expect((await meeting.side.connection()).ratchet).toMatchObject({ kem: null, enableKem: false, supportKem: false });
  });
});
