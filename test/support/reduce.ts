import type { Command, Message } from "#protocol/commands";
import type { QueueMode, QueueReqData } from "#protocol/commands/queue";
import type { ErrorType } from "#protocol/errors";

/**
 * What is left of a command after a journey at `version` (SMP commands, layout by version): the older the session,
 * the less it can say. Written from the specification, not from the codecs.
 */
export function reduceCommand(command: Command, version: number): Command {
  switch (command.tag) {
    case "NEW":
      return {
        ...command,
        queueReqData: reduceRequest(command.queueReqData, version),
        ntfCreds: version >= 17 ? command.ntfCreds : null,
      };
    case "SUBS":
    case "NSUBS":
      return version >= 19 ? command : { ...command, queues: null };
    default:
      return command;
  }
}

function reduceRequest(request: QueueReqData | null, version: number): QueueReqData | null {
  if (version >= 15) return request;
  if (version < 9) return null;
  return request?.mode === "messaging" ? { mode: "messaging", data: null } : { mode: "contact", data: null };
}

export function reduceMessage(message: Message, version: number): Message {
  switch (message.tag) {
    case "IDS":
      return {
        ...message,
        queueMode: reduceMode(message.queueMode, version),
        linkId: version >= 15 ? message.linkId : null,
        serviceId: version >= 16 ? message.serviceId : null,
        serverNtfCreds: version >= 17 ? message.serverNtfCreds : null,
      };
    case "SOK":
      return version >= 16 ? message : { tag: "OK" };
    case "SOKS":
    case "ENDS":
      return version >= 19 ? message : { ...message, idsHash: null };
    case "DELD":
      return version >= 10 ? message : { tag: "END" };
    case "ERR":
      return { tag: "ERR", error: withoutNetworkDetail(reduceBlocked(message.error, version)) };
    default:
      return message;
  }
}

function reduceMode(mode: QueueMode | null, version: number): QueueMode | null {
  if (version >= 15) return mode;
  return version < 9 ? null : mode ?? "contact";
}

function reduceBlocked(error: ErrorType, version: number): ErrorType {
  if (error.type !== "BLOCKED" || version >= 18) return error;
  return version < 12 ? { type: "AUTH" } : { type: "BLOCKED", blockInfo: { reason: error.blockInfo.reason } };
}

/** The detail of NETWORK is never written, however deep it stands. */
export function withoutNetworkDetail(error: ErrorType): ErrorType {
  if (error.type !== "PROXY") return error;
  const { proxyErr } = error;
  if (proxyErr.type === "PROTOCOL") {
    return { type: "PROXY", proxyErr: { ...proxyErr, protocolErr: withoutNetworkDetail(proxyErr.protocolErr) } };
  }
  if (proxyErr.type !== "BROKER" || proxyErr.brokerErr.type !== "NETWORK") return error;
  const brokerErr = { type: "NETWORK", networkError: { type: "failedError" } } as const;
  return { type: "PROXY", proxyErr: { type: "BROKER", brokerErr } };
}
