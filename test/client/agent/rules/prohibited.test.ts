import { describe, expect, it } from "vitest";
import { randomBytes } from "#crypto/random";
import type { PeerFault } from "../../../../client/agent/errors.ts";
import {
  addressed,
  confirmed,
  connectedAsInitiator,
  connectedAsJoiner,
  copyOf,
  invited,
  joined,
  type Meeting,
} from "./support/meeting.ts";
import { BODIES } from "./support/odd-bodies.ts";
import { gist } from "./support/side.ts";

/** Where a connection can stand: how to get there, and the queue that the peer sends to. */
const STATES = {
  invited: { meet: () => invited(), queue: 1 },
  confirmed: { meet: () => confirmed(), queue: 1 },
  initiator: { meet: () => connectedAsInitiator(), queue: 1 },
  joined: { meet: () => joined(), queue: 2 },
  joiner: { meet: () => connectedAsJoiner(), queue: 2 },
  address: { meet: () => addressed(), queue: 1 },
} as const;
type State = keyof typeof STATES;
const names = Object.keys(STATES) as State[];

const C = "A_CRYPTO";
const M = "A_MESSAGE";
const P = "A_PROHIBITED";
const Q = "A_QUEUE";
const V = "A_VERSION";
/** It is what belongs here, and tried elsewhere. */
const fits = "fits";
/** It came before and is acknowledged without a word. */
const known = "known";
type Verdict = PeerFault | typeof fits | typeof known;

/** In the order of the states. */
const VERDICTS: Record<keyof typeof BODIES, readonly [Verdict, Verdict, Verdict, Verdict, Verdict, Verdict]> = {
  "a joiner's confirmation": [fits, known, known, P, known, P],
  "a joiner's confirmation for another key of the queue": [fits, C, C, P, C, P],
  "a joiner's confirmation with a key to secure with": [fits, known, known, P, known, P],
  "a joiner's confirmation without parameters": [P, known, known, P, known, P],
  "an initiator's confirmation": [P, known, known, fits, known, P],
  "a confirmation that is a message inside": [P, known, known, P, known, P],
  "a confirmation without a key in the header": [P, P, P, P, P, P],
  "a confirmation of agent version 8": [V, known, known, V, known, V],
  "a confirmation of agent version 65535": [V, known, known, V, known, V],
  "a confirmation of client version 5": [V, V, V, V, V, V],
  "a confirmation that no ratchet made": [C, known, known, C, known, P],
  "an invitation": [P, P, P, P, P, fits],
  "an invitation with a key to secure with": [P, P, P, P, P, P],
  "an invitation without a key in the header": [P, P, P, P, P, P],
  "ratchet keys with a key in the header": [P, P, P, P, P, P],
  "ratchet keys of end-to-end version 4": [P, P, V, P, V, P],
  "ratchet keys of end-to-end version 1": [P, P, V, P, V, P],
  "ratchet keys that are points of low order": [P, P, C, P, C, P],
  "a message with a key in the header": [P, P, P, P, P, P],
  "a message with a key to secure with": [P, P, P, P, P, P],
  "a message of client version 5": [V, V, V, V, V, V],
  "a message of client version 65535": [V, V, V, V, V, V],
  "HELLO": [P, fits, fits, P, P, P],
  "a receipt for a number that was never used": [P, P, P, P, P, P],
  "a receipt for the confirmation": [P, P, P, P, P, P],
  "a receipt for number -1": [P, P, P, P, P, P],
  "QCONT for a queue elsewhere": [P, P, Q, P, Q, P],
  "QADD that replaces nothing": [P, P, Q, P, Q, P],
  "QADD that replaces a queue elsewhere": [P, P, Q, P, Q, P],
  "QKEY for a queue elsewhere": [P, P, Q, P, Q, P],
  "QUSE of a queue elsewhere": [P, P, Q, P, Q, P],
  "connection information in a message": [P, P, P, P, P, P],
  "a joiner's reply in a message": [P, P, P, P, P, P],
  "ratchet information in a message": [P, P, P, P, P, P],
  "an unknown message": [P, M, M, P, M, P],
  "an unknown command in a message": [P, M, M, P, M, P],
  "an empty message": [P, M, M, P, M, P],
  "a message that no ratchet made": [P, C, C, P, C, P],
  "an unknown envelope": [P, M, M, P, M, P],
  "an empty envelope": [P, M, M, P, M, P],
  "a body that no key opens": [P, C, C, P, C, P],
  "a key of low order in the header": [C, M, M, C, M, C],
  "an empty body": [M, M, M, M, M, M],
  "a body that holds nothing": [M, M, M, M, M, M],
};

/** What an honest peer sends next, and what the application hears of it. */
async function goesOn(state: State, { side, peer }: Meeting): Promise<string[]> {
  const { queue } = STATES[state];
  switch (state) {
    case "invited":
      return gist(await side.receive(queue, peer.reply()));
    case "joined":
      return gist(await side.receive(queue, BODIES["an initiator's confirmation"](peer)));
    case "address":
      return gist(await side.receive(queue, BODIES["an invitation"](peer)));
    default:
      return gist(await side.receive(queue, peer.text())).map((line) => line.replace(/ (?:ok|skipped|badHash)$/, ""));
  }
}

const NEXT: Record<State, string[]> = {
  invited: ["confirmation"],
  confirmed: ["message"],
  initiator: ["message"],
  joined: ["info", "connected"],
  joiner: ["message"],
  address: ["request"],
};

describe("what does not belong where it comes", () => {
  it.each(names.map((state, index) => [state, index] as const))("is refused by a connection that is %s", async (state, index) => {
    const { meet, queue } = STATES[state];
    const beginning = await meet();
    for (const [what, body] of Object.entries(BODIES)) {
      const verdict = VERDICTS[what as keyof typeof BODIES][index];
      if (verdict === fits) continue;
      const { side, peer } = copyOf(beginning);
      // What an honest peer would know: what is refused does not move its own ratchet.
      const { ratchet, sent } = peer;
      const before = await side.connection();
      const outcome = await side.receive(queue, body(peer));
      expect.soft({ what, heard: gist(outcome) }).toEqual({ what, heard: verdict === known ? [] : [verdict] });
      expect.soft(outcome.isAcked, `${what}: acknowledged`).toBe(true);
      const after = await side.connection();
      expect.soft([after.status, after.sync.state], what).toEqual([before.status, before.sync.state]);
      if (state === "invited" || state === "joined") Object.assign(peer, { ratchet, sent });
      expect.soft({ what, next: await goesOn(state, { side, peer }) }).toEqual({ what, next: NEXT[state] });
    }
  });

  it("is refused when it is no message of the relay at all", async () => {
    const { side, peer } = await connectedAsInitiator();
    for (const bytes of [new Uint8Array(), randomBytes(15), randomBytes(16_122)]) {
      const outcome = await side.receiveRaw(1, bytes);
      expect(gist(outcome)).toEqual(["A_CRYPTO"]);
      expect(outcome.isAcked).toBe(true);
    }
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
  });
});
