import { SessionError } from "../../session/api.ts";
import { LEADER_LOCK } from "../../session/protocol.ts";
import { Remote } from "../../session/remote.ts";

/** For so long whoever has the chat may take to say so, in milliseconds: browsers freeze pages that nobody looks at. */
const SIGN_OF_LIFE = 4_000;
/** Whoever gave a sign of life keeps the profile, and is waited for so long: more than a push may take. Milliseconds. */
const PATIENCE = 25_000;

/** Nobody gave a sign of life. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
}

/** Whoever had the chat began with it, and is gone. */
export class GoneError extends Error {
  override readonly name = "GoneError";
}

/** The profile has a passphrase, and nobody has typed it. */
export class SealedError extends Error {
  override readonly name = "SealedError";
}

function silence(remote: Remote, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUnlessHeard = (): void => {
      if (remote.leader === null) reject(new SilenceError("the page that has the chat does not answer"));
    };
    const give = (): void => reject(new Error("the page that has the chat takes too long for a push"));
    const timers = [setTimeout(giveUnlessHeard, SIGN_OF_LIFE), setTimeout(give, PATIENCE)];
    signal.addEventListener("abort", () => timers.forEach((timer) => clearTimeout(timer)));
  });
}

/** From when the page was heard on: before that it may only be about to begin. */
function departure(remote: Remote, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = remote.onChange(() => {
      if (remote.leader === null) return;
      stop();
      const free = navigator.locks.request(LEADER_LOCK, { mode: "shared", signal }, () => undefined);
      free.then(() => reject(new GoneError("the page that had the chat is gone")), reject);
    });
  });
}

/** Has something done by the page that has the chat. @throws SilenceError, GoneError, SealedError, what that page throws */
export async function askLeader(method: string, args: readonly unknown[]): Promise<unknown> {
  const remote = new Remote(() => undefined);
  const over = new AbortController();
  try {
    const call = remote.call("push", method, args);
    return await Promise.race([call, silence(remote, over.signal), departure(remote, over.signal)]);
  } catch (cause) {
    const isClosed = cause instanceof SessionError && cause.failure === "CLOSED";
    throw isClosed && remote.phase === "locked" ? new SealedError("the profile is locked", { cause }) : cause;
  } finally {
    over.abort();
    remote.close();
  }
}
