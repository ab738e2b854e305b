import { expect, it } from "vitest";
import { HANDSHAKE_TIMEOUT } from "../../src/relay/limits.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";

it("a client that never answers the hello is let go", async () => {
  const data = temporaryFolder();
  const relay = await RelayProcess.start(data);
  try {
    const start = performance.now();
    const socket = await relay.open();
    const { code, reason } = await new Promise<{ code?: number; reason?: string }>((resolve) =>
      socket.addEventListener("close", resolve)
    );
    expect({ code, reason }).toEqual({ code: 1008, reason: "no hello in time" });
    // It was given its time: whatever the machine does, timers do not go off early.
    expect(performance.now() - start).toBeGreaterThan(HANDSHAKE_TIMEOUT - 1000);
  } finally {
    await relay.stop();
    removeFolder(data);
  }
}, HANDSHAKE_TIMEOUT + 20_000);
