import type { Agent } from "../agent/agent.ts";
import type { Clock } from "../clock.ts";
import type { Store } from "../store/store.ts";
import type { Files } from "./files.ts";
import type { Compression } from "./wire/compression.ts";

export interface ChatOptions {
  /** Open, and read by nobody else: the chat reads its events. It stays open when the chat is closed. */
  readonly agent: Agent;
  /** The store of the agent; the tables of the chat stand beside its own. */
  readonly store: Store;
  /** Zstandard: `nodeZstd` of client/node/zstd.ts, or `portableZstd` in browsers. */
  readonly compression: Compression;
  /** What sends files that are too large to go between messages; none are sent unless given. */
  readonly files?: Files;
  readonly clock?: Clock;
}
