import { EMPTY } from "#crypto/bytes";
import { dh, generateKeyPair, type PublicKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import { type AuthSecretKey, authorize } from "#protocol/authorize";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { type Command, decodeMessage, encodeCommand, err, type Message } from "#protocol/commands";
import { openForwardedResponse, openRres, sealForwarded, sealRfwd } from "#protocol/commands/proxy";
import { authorizedBytes, encodeBatch, encodeTransmission, readBatch, readTransmission } from "#protocol/transmission";
import { named, type WireClient } from "./wire-client.ts";

// Forwarded commands as a test wants them, also wrong ones: both what a client seals and what a proxy makes of it.

/** A relay behind a proxy, as a client of the proxy knows it. */
export interface Behind {
  readonly sessionId: Uint8Array;
  readonly key: PublicKey<"X25519">;
  readonly version: number;
}

/** A command as its client gives it to the proxy. */
export interface Sealed {
  readonly corrId: Uint8Array;
  readonly publicKey: PublicKey<"X25519">;
  readonly secret: Uint8Array;
  readonly version: number;
  readonly encTransmission: Uint8Array;
}

/** What the relay behind a session with it is to others. */
export function behind(proxy: WireClient, version = 19): Behind {
  return { sessionId: proxy.hello.sessionId, key: proxy.routerKey, version };
}

/** PRXY, and what its answer proves. */
export async function openRelay(client: WireClient, server: Server, basicAuth: string | null = null): Promise<Behind> {
  const answer = await client.ask({ tag: "PRXY", server, basicAuth });
  if (answer.tag !== "PKEY") throw new Error(`no session: ${named(answer)}`);
  const { key } = verifyCertChainPubKey(answer.certChainPubKey, "X25519", Date.now());
  return { sessionId: answer.sessionId, key, version: answer.versions.max };
}

export function innerTransmission(
  { sessionId, version, key: routerKey }: Behind,
  command: Command | Uint8Array,
  key: AuthSecretKey | null,
  entityId: Uint8Array,
  corrId: Uint8Array,
): Uint8Array {
  const bytes = command instanceof Uint8Array ? command : encodeCommand(command, version);
  const authorized = authorizedBytes(sessionId, corrId, entityId, bytes);
  const authorization = key ? authorize(key, routerKey, corrId, authorized) : null;
  return encodeTransmission({ version, sessionId }, authorized, authorization, null);
}

/** Seals a batch, whatever it is. */
export function sealBatch({ key, version }: Behind, batch: Uint8Array, corrId = randomBytes(24)): Sealed {
  const { publicKey, secretKey } = generateKeyPair("X25519");
  const secret = dh(secretKey, key);
  return { corrId, publicKey, secret, version, encTransmission: sealForwarded(secret, corrId, batch) };
}

export function sealCommand(
  relay: Behind,
  command: Command | Uint8Array,
  key: AuthSecretKey | null = null,
  entityId = EMPTY,
): Sealed {
  const corrId = randomBytes(24);
  return sealBatch(relay, encodeBatch([innerTransmission(relay, command, key, entityId, corrId)]), corrId);
}

/** What the relay has answered inside PRES. */
export function openResponse({ sessionId }: Behind, { secret, corrId, version }: Sealed, encResponse: Uint8Array): Message {
  const [only, ...others] = readBatch(openForwardedResponse(secret, corrId, encResponse));
  if (!only || others.length > 0) throw new Error("a forwarded command has one answer");
  return decodeMessage(readTransmission({ version, sessionId }, only).command, version);
}

/** Through a proxy: the relay's answer, or the proxy's error. */
export async function askThrough(
  client: WireClient,
  relay: Behind,
  command: Command,
  key: AuthSecretKey | null = null,
  entityId = EMPTY,
  milliseconds?: number,
): Promise<Message> {
  const sealed = sealCommand(relay, command, key, entityId);
  const { version, publicKey, encTransmission, corrId } = sealed;
  const pfwd = { tag: "PFWD", version, key: publicKey, encTransmission } as const;
  client.sendAll([client.transmission(pfwd, null, relay.sessionId, corrId)]);
  const { message: answer } = await client.answer(corrId, milliseconds);
  return answer.tag === "PRES" ? openResponse(relay, sealed, answer.encResponse) : answer;
}

/** RFWD of a proxy, and with which corrId it has to be sent. */
export function forwarding(
  proxy: WireClient,
  { corrId: fwdCorrId, publicKey, version, encTransmission }: Sealed,
): { readonly corrId: Uint8Array; readonly command: Command } {
  const corrId = randomBytes(24);
  const forwarded = { fwdCorrId, fwdVersion: version, fwdKey: publicKey, fwdTransmission: encTransmission };
  return { corrId, command: { tag: "RFWD", encFwdTransmission: sealRfwd(proxy.secret, corrId, forwarded) } };
}

/** As a proxy: the answer that its client gets, or what the proxy itself is told. */
export async function forwardAs(proxy: WireClient, relay: Behind, sealed: Sealed): Promise<Message> {
  const { corrId, command } = forwarding(proxy, sealed);
  const answer = await proxy.ask(command, null, EMPTY, corrId);
  if (answer.tag !== "RRES") return answer;
  const { fwdCorrId, fwdResponse } = openRres(proxy.secret, corrId, answer.encFwdResponse);
  if (fwdCorrId.join() !== sealed.corrId.join()) return err({ type: "DUPLICATE_" });
  return openResponse(relay, sealed, fwdResponse);
}
