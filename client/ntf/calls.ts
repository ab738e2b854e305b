import { KeyError } from "#crypto/errors";
import { dh, type KeyPair } from "#crypto/keys";
import type { AuthSecretKey } from "#protocol/authorize";
import type { NtfAnswer, NtfAnswerOf, NtfAnswerTag, NtfCommand } from "#protocol/ntf/commands";
import type { NtfQueue } from "#protocol/ntf/queue";
import type { SubscriptionStatus, TokenStatus } from "#protocol/ntf/status";
import type { DeviceToken } from "#protocol/ntf/token";
import { ProtocolError, UnexpectedAnswerError } from "../errors.ts";
import type { NtfRequester, NtfRequestOptions } from "./client.ts";

// Every function here throws ProtocolError (the server answered ERR), TimeoutError, DisconnectedError, ConnectError
// and UnexpectedAnswerError.

/** A registered token, and the key that authorizes all commands on it and its subscriptions. */
export interface TokenKey {
  readonly tokenId: Uint8Array;
  readonly key: AuthSecretKey;
}

async function call<T extends NtfAnswerTag>(
  server: NtfRequester,
  command: NtfCommand,
  options: NtfRequestOptions,
  fitting: T,
): Promise<NtfAnswerOf<T>> {
  const answer = await server.request(command, options);
  if (isA(answer, fitting)) return answer;
  if (answer.tag === "ERR") throw new ProtocolError(server.host, command.tag, answer.error);
  throw new UnexpectedAnswerError(server.host, `${answer.tag} is no answer to ${command.tag}`);
}

function isA<T extends NtfAnswerTag>(answer: NtfAnswer, tag: T): answer is NtfAnswer & NtfAnswerOf<T> {
  return answer.tag === tag;
}

function ofToken({ tokenId, key }: TokenKey): NtfRequestOptions {
  return { entityId: tokenId, key };
}

/** What TNEW brings. `dhSecret` opens the token's pushes: 32 bytes. */
export interface Registration {
  readonly tokenId: Uint8Array;
  readonly dhSecret: Uint8Array;
}

/**
 * TNEW: the server sends a code to the device. Repeated with the same keys it sends it again, and the answer is the
 * same.
 */
export async function registerToken(
  server: NtfRequester,
  token: DeviceToken,
  verifyKeys: KeyPair<"Ed25519">,
  dhKeys: KeyPair<"X25519">,
): Promise<Registration> {
  const command = { tag: "TNEW", token, verifyKey: verifyKeys.publicKey, dhKey: dhKeys.publicKey } as const;
  const { tokenId, dhKey } = await call(server, command, { key: verifyKeys.secretKey }, "IDTKN");
  try {
    return { tokenId, dhSecret: dh(dhKeys.secretKey, dhKey) };
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new UnexpectedAnswerError(server.host, "the notification server gave a key that is unusable", { cause });
  }
}

/** TVFY, with the code that the push brought. Repeatable. */
export async function verifyToken(server: NtfRequester, token: TokenKey, code: Uint8Array): Promise<void> {
  await call(server, { tag: "TVFY", code }, ofToken(token), "OK");
}

/** TCHK. */
export async function checkToken(server: NtfRequester, token: TokenKey): Promise<TokenStatus> {
  return (await call(server, { tag: "TCHK" }, ofToken(token), "TKN")).status;
}

/** TRPL: another device token in place of this one, to be verified anew. Subscriptions stay. */
export async function replaceToken(server: NtfRequester, token: TokenKey, replacement: DeviceToken): Promise<void> {
  await call(server, { tag: "TRPL", token: replacement }, ofToken(token), "OK");
}

/** TDEL: the token and its subscriptions. */
export async function deleteToken(server: NtfRequester, token: TokenKey): Promise<void> {
  await call(server, { tag: "TDEL" }, ofToken(token), "OK");
}

/** TCRN: a push every so many minutes, 20 at least; 0: none. */
export async function setInterval(server: NtfRequester, token: TokenKey, minutes: number): Promise<void> {
  await call(server, { tag: "TCRN", minutes }, ofToken(token), "OK");
}

/** SNEW: pushes for messages of a queue. The server follows it with `notifierKey`. */
export async function followQueue(
  server: NtfRequester,
  { tokenId, key }: TokenKey,
  queue: NtfQueue,
  notifierKey: AuthSecretKey,
): Promise<Uint8Array> {
  return (await call(server, { tag: "SNEW", tokenId, queue, notifierKey }, { key }, "IDSUB")).subId;
}

/** SCHK. */
export async function checkSubscription(
  server: NtfRequester,
  { key }: TokenKey,
  subId: Uint8Array,
): Promise<SubscriptionStatus> {
  return (await call(server, { tag: "SCHK" }, { entityId: subId, key }, "SUB")).status;
}
