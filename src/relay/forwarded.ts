import { EMPTY, hex } from "#crypto/bytes";
import { CryptoError } from "#crypto/errors";
import { dh } from "#crypto/keys";
import { DecodeError } from "#protocol/codec";
import { type CommandTag, err, type Message } from "#protocol/commands";
import {
  type FwdTransmission,
  openForwarded,
  openRfwd,
  sealForwardedResponse,
  sealRres,
} from "#protocol/commands/proxy";
import { commandErr, type ErrorType } from "#protocol/errors";
import { encodeBatch, readBatch } from "#protocol/transmission";
import { VERSION } from "#protocol/version";
import { encodeFitting, readRequest, type Received, type Reply } from "./dispatch.ts";
import { authenticatorKey, type ReadySession } from "./session.ts";

/** A command that came through a proxy: to be done as if it had come in a session of its own. */
export interface ForwardedCommand {
  readonly received: Received;
  /** The version that the client speaks, whatever the proxy does. */
  readonly version: number;
  /** Of this command alone: clients seal each with a fresh key and nonce, so who brings it again is no client. */
  readonly once: string;
  /** RRES with the sealed answer, or an error when the answer fits nowhere. */
  seal(reply: Reply): Message;
}

/** A forwarding that the proxy is told to be wrong: its client has sent nothing that could be answered. */
export class BadForwarding extends Error {
  override readonly name = "BadForwarding";
  readonly error: ErrorType;

  constructor(error: ErrorType, options?: ErrorOptions) {
    super(`forwarded command is refused: ${error.type}`, options);
    this.error = error;
  }
}

const NO_AUTH: ErrorType = {
  type: "PROXY",
  proxyErr: { type: "BROKER", brokerErr: { type: "TRANSPORT", transportErr: { type: "noServerAuth" } } },
};

/** Commands of senders: only they can be forwarded. */
const FORWARDED: ReadonlySet<CommandTag> = new Set<CommandTag>(["SEND", "SKEY", "LKEY", "LGET", "RSLV"]);

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof DecodeError) throw new BadForwarding(commandErr("SYNTAX"), { cause });
    if (cause instanceof CryptoError) throw new BadForwarding({ type: "CRYPTO" }, { cause });
    throw cause;
  }
}

/** The transmission in the client's batch; null when the batch is malformed, which the client itself is told. */
function onlyTransmission(batch: Uint8Array): Uint8Array | null {
  try {
    const [first, ...others] = readBatch(batch);
    if (others.length > 0) throw new BadForwarding({ type: "BLOCK" });
    return first ?? null;
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}

function readForwarded(session: ReadySession, bytes: Uint8Array | null): Received {
  if (!bytes) return { reply: { corrId: EMPTY, entityId: EMPTY, message: err({ type: "BLOCK" }) } };
  const received = readRequest(session, bytes);
  if ("reply" in received || FORWARDED.has(received.request.command.tag)) return received;
  const { corrId, entityId } = received.request;
  return { reply: { corrId, entityId, message: err(commandErr("PROHIBITED")) } };
}

/**
 * Opens RFWD (SMP transport, proxied carriage): the proxy's box, then the client's, then its one command, which is
 * written in the version that the client has chosen and authorized with the id and key of this session.
 * @throws BadForwarding
 */
export function openCommand(
  session: ReadySession,
  corrId: Uint8Array,
  encFwdTransmission: Uint8Array,
): ForwardedCommand {
  const { sharedSecret } = session;
  if (!sharedSecret) throw new BadForwarding(NO_AUTH);
  const forwarded: FwdTransmission = guarded(() => openRfwd(sharedSecret, corrId, encFwdTransmission));
  const { fwdCorrId, fwdKey, fwdTransmission, fwdVersion } = forwarded;
  const secret = guarded(() => dh(authenticatorKey(session), fwdKey));
  const batch = guarded(() => openForwarded(secret, fwdCorrId, fwdTransmission));
  // Any version is taken, as by the official server. The session id is never sent in a forwarded command.
  const version = Math.max(fwdVersion, VERSION.authKeys);
  const inner: ReadySession = { ...session, version, service: null };
  return {
    received: readForwarded(inner, onlyTransmission(batch)),
    version,
    once: `${hex(fwdKey.raw)} ${hex(fwdCorrId)}`,
    seal(reply) {
      try {
        const answer = encodeBatch([encodeFitting(inner, reply)]);
        const fwdResponse = sealForwardedResponse(secret, fwdCorrId, answer);
        return { tag: "RRES", encFwdResponse: sealRres(sharedSecret, corrId, { fwdCorrId, fwdResponse }) };
      } catch (error) {
        if (error instanceof CryptoError) return err({ type: "BLOCK" });
        throw error;
      }
    },
  };
}
