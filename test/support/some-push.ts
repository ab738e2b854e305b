import { randomBytes } from "#crypto/random";
import type { DeviceToken } from "#protocol/ntf/token";
import type { Push } from "../../src/relay/notification/ports.ts";
import type { PushAnswer } from "../../src/push/provider.ts";
import { someQueue } from "./device-bench.ts";

export const SECRET = new Uint8Array(32).fill(4);
export const NOW = 1_800_000_000_000;
export const KINDS = ["verification", "messages", "check"] as const;

/** A push of a kind; of messages as many as one may tell of. */
export function somePush(kind: Push["kind"], token: DeviceToken): Push {
  const base = { token, dhSecret: SECRET };
  switch (kind) {
    case "verification":
      return { ...base, kind, code: new Uint8Array(32).fill(6) };
    case "check":
      return { ...base, kind };
    case "messages": {
      const messages = Array.from({ length: 6 }, () => ({
        queue: someQueue(),
        ts: 1_800_000_000,
        nonce: randomBytes(24),
        encMeta: randomBytes(144),
      }));
      return { ...base, kind, messages, upTo: 6 };
    }
  }
}

export function answer(status: number, body = "", headers: Readonly<Record<string, string>> = {}): PushAnswer {
  return { status, body, header: (name) => headers[name] ?? null };
}
