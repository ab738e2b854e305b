import { expect, test } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { tail } from "#protocol/codec";
import type { AlertName } from "../../src/tls/errors.ts";
import { type HandshakeName, writeMessage } from "../../src/tls/messages/message.ts";
import type { Script, ScriptedServer } from "./tls-server.ts";
import { shake } from "./tls-talk.ts";

/** What a server may do wrong, and the alert that it gets for it. */
type Lies = Readonly<Record<string, readonly [AlertName, Script]>>;

/** A server that does this is refused with this alert, which it gets; nothing of it is believed. */
export function refuses(lies: Lies): void {
  test.each(Object.entries(lies))("%s", (_, [alert, script]) => {
    const { session, data, error, talk } = shake(script);
    expect(error?.alert, error?.message).toBe(alert);
    expect([session, data.length]).toStrictEqual([null, 0]);
    expect(talk.server.alerts).toStrictEqual([alert]);
    expect(talk.server.clientFinished).toBeNull();
  });
}

/** The honest message with another body. */
export const body = (name: HandshakeName, change: (honest: Uint8Array) => Uint8Array): Script => ({
  rewrite: { [name]: (honest: Uint8Array) => writeMessage(name, tail, change(honest.slice(4))) },
});
/** Does something before a message. */
export const before = (name: HandshakeName, run: (server: ScriptedServer) => void): Script => ({
  before: { [name]: run },
});
/** A message left out. */
export const leftOut = (name: HandshakeName): Script => ({ rewrite: { [name]: () => EMPTY } });
