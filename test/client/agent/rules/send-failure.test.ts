import { describe, expect, it } from "vitest";
import type { ErrorType } from "#protocol/errors";
import type { Delivery } from "../../../../client/agent/records.ts";
import { FAST_RETRY, nextDelay, SLOW_RETRY } from "../../../../client/agent/rules/retry.ts";
import { judgeFailure } from "../../../../client/agent/rules/send-failure.ts";
import {
  ConnectError,
  DisconnectedError,
  ProtocolError,
  ProxyError,
  type ProxyFailure,
  TimeoutError,
  UnexpectedAnswerError,
  UsageError,
} from "../../../../client/errors.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SENT_AT = 1_000_000;

function delivery(kind: Delivery["kind"] = "message", wait: Delivery["wait"] = null): Delivery {
  const content = { type: "ratchetKey", agentVersion: 7, e2eParams: new Uint8Array() } as const;
  return { item: 1, sndMsgId: 1, kind, notification: false, at: SENT_AT, content, wait };
}

const refusal = (error: ErrorType): ProtocolError => new ProtocolError("relay", "SEND", error);
const QUOTA = refusal({ type: "QUOTA" });
const onTheWay = (failure: ProxyFailure): ProxyError => new ProxyError({ host: "proxy", destination: "relay" }, failure, "a test");

describe("a message whose relay does not answer", () => {
  const troubles = [
    new TimeoutError("relay", "SEND", 10_000),
    new DisconnectedError("relay", "gone"),
    new ConnectError("relay", "unreachable", "nobody there"),
    new UnexpectedAnswerError("relay", "nonsense"),
    refusal({ type: "STORE", storeErr: "full" }),
    refusal({ type: "INTERNAL" }),
  ];

  it("is tried again for two days, then no more", () => {
    for (const trouble of troubles) {
      expect(judgeFailure(delivery(), trouble, SENT_AT + 2 * DAY - 1).type).toBe("retry");
      expect(judgeFailure(delivery(), trouble, SENT_AT + 2 * DAY)).toMatchObject({ type: "drop", reason: "EXPIRED" });
    }
  });

  it("is told about only when waiting alone may not help", () => {
    const told = (error: Error): unknown => {
      const verdict = judgeFailure(delivery(), error, SENT_AT);
      return verdict.type === "retry" ? verdict.isTold : verdict;
    };
    expect(told(new ConnectError("relay", "unreachable", "nobody there"))).toBe(false);
    expect(told(new ConnectError("relay", "identity", "somebody else"))).toBe(true);
    const cause = new ConnectError("relay", "version", "too new");
    expect(told(new DisconnectedError("relay", "no connection in time", { cause }))).toBe(true);
  });

  it("is tried after 2 s, from 10 s on at growing intervals of at most 2 minutes", () => {
    const delays: number[] = [];
    let delay: number | null = null;
    let elapsed = 0;
    for (let attempt = 0; attempt < 20; attempt++) {
      delay = nextDelay(FAST_RETRY, delay, elapsed);
      delays.push(delay);
      elapsed += delay;
    }
    expect(delays.slice(0, 8)).toEqual([2_000, 2_000, 2_000, 2_000, 2_000, 3_000, 4_500, 6_750]);
    expect(delays.at(-1)).toBe(120_000);
  });
});

describe("a message that no proxy brings to its relay", () => {
  it("is tried again for two days, then no more", () => {
    for (const failure of ["host", "notAllowed", "identity", "unreachable", "noSession"] as const) {
      expect(judgeFailure(delivery(), onTheWay(failure), SENT_AT + 2 * DAY - 1).type).toBe("retry");
      expect(judgeFailure(delivery(), onTheWay(failure), SENT_AT + 2 * DAY)).toMatchObject({ type: "drop", reason: "EXPIRED" });
    }
  });

  it("is told about only when waiting alone may not help", () => {
    const told = (["host", "notAllowed", "identity", "unreachable", "noSession"] as const).map((failure) => {
      const verdict = judgeFailure(delivery(), onTheWay(failure), SENT_AT);
      return verdict.type === "retry" ? verdict.isTold : verdict;
    });
    expect(told).toEqual([true, true, true, false, false]);
  });

  it("is dropped when it is refused as such, but never as if the peer's relay had said so", () => {
    for (const kind of ["message", "confirmation"] as const) {
      expect(judgeFailure(delivery(kind), onTheWay("refused"), SENT_AT)).toMatchObject({ type: "drop", reason: "REFUSED" });
    }
  });
});

describe("a message for a full queue", () => {
  it("waits five minutes, then longer, up to six hours, and is dropped after seven days", () => {
    const first = judgeFailure(delivery(), QUOTA, SENT_AT);
    expect(first).toMatchObject({ type: "full", wait: { delay: 300_000, since: SENT_AT, until: SENT_AT + 300_000 } });
    if (first.type !== "full") return;
    const now = first.wait.until;
    expect(judgeFailure(delivery("message", first.wait), QUOTA, now)).toMatchObject({
      type: "full",
      wait: { delay: 450_000, since: SENT_AT, until: now + 450_000 },
    });
    const longest = { delay: SLOW_RETRY.max, since: SENT_AT, until: now };
    expect(judgeFailure(delivery("message", longest), QUOTA, SENT_AT + DAY)).toMatchObject({ wait: { delay: SLOW_RETRY.max } });
    expect(judgeFailure(delivery(), QUOTA, SENT_AT + 7 * DAY)).toMatchObject({ type: "drop", reason: "QUOTA" });
  });

  it("is tried every two seconds for a minute when the peer has just said that there is room", () => {
    // The peer's word may come before its acknowledgement frees the queue; it does not say it twice.
    const longest = { delay: SLOW_RETRY.max, since: SENT_AT, until: SENT_AT + DAY };
    let now = SENT_AT + MINUTE;
    let verdict = judgeFailure(delivery("message", longest), QUOTA, now, true);
    const delays: number[] = [];
    while (verdict.type === "full" && delays.length < 33) {
      delays.push(verdict.wait.until - now);
      now = verdict.wait.until;
      verdict = judgeFailure(delivery("message", verdict.wait), QUOTA, now);
    }
    expect(delays.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 2_000));
    expect(delays.slice(30)).toEqual([3_000, 4_500, 6_750]);
    expect(judgeFailure(delivery("message", longest), QUOTA, SENT_AT + 7 * DAY, true)).toMatchObject({ type: "drop" });
  });

  it("gives up at once when it is the one that makes the connection", () => {
    expect(judgeFailure(delivery("confirmation"), QUOTA, SENT_AT)).toMatchObject({ type: "drop", reason: "NOT_AVAILABLE" });
  });
});

describe("a message that a relay refuses", () => {
  it("is dropped with the reason", () => {
    expect(judgeFailure(delivery(), refusal({ type: "AUTH" }), SENT_AT)).toMatchObject({ reason: "NOT_AVAILABLE" });
    expect(judgeFailure(delivery(), refusal({ type: "LARGE_MSG" }), SENT_AT)).toMatchObject({ reason: "REFUSED" });
    expect(judgeFailure(delivery(), new UsageError("onion hosts only"), SENT_AT)).toMatchObject({ reason: "REFUSED" });
    expect(judgeFailure(delivery(), new RangeError("a mistake of ours"), SENT_AT)).toMatchObject({ reason: "REFUSED" });
  });
});
