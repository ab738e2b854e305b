import { type CommandOf, err, type Message } from "#protocol/commands";
import type { ErrorType } from "#protocol/errors";
import { FORWARDED_TOO_MANY } from "../relay/admit.ts";
import { brokerErr, networkErr, NO_SESSION } from "../relay/destination.ts";
import type { Received, Reply, Request } from "../relay/dispatch.ts";
import { BadForwarding, openCommand } from "../relay/forwarded.ts";
import { knowsPassword } from "../relay/password.ts";
import { readDestination } from "../relay/proxy-policy.ts";
import { destinationOf, type ProxiedSession, type ReadySession } from "../relay/session.ts";
import { type Answer, forward, type Origin } from "./forward.ts";
import { destinationAt, destinationId } from "./locate.ts";
import { report } from "./log.ts";
import type { Recent } from "./recent.ts";

/** A command that is not answered in its order: another relay, or a client of another, waits behind it. */
export type BesideRequest = Request & { readonly command: CommandOf<"PRXY" | "PFWD" | "RFWD"> };

function isBeside(request: Request): request is BesideRequest {
  const { tag } = request.command;
  return tag === "PRXY" || tag === "PFWD" || tag === "RFWD";
}

/** Parts a block into what keeps its order and what does not. */
export function setAside(
  received: readonly Received[],
): { readonly ordered: readonly Received[]; readonly beside: readonly BesideRequest[] } {
  return {
    ordered: received.filter((item) => !("request" in item && isBeside(item.request))),
    beside: received.flatMap((item) => ("request" in item && isBeside(item.request) ? [item.request] : [])),
  };
}

/** What a command does to its connection. */
export interface Surroundings {
  /** Of the commands that a proxy forwards. */
  readonly origin: Origin;
  /** The newest state. */
  session(): ReadySession;
  /** Counts a forwarded command against the limits of the connection. */
  limit(received: Received): Received;
  remember(proxied: ProxiedSession): void;
  /** Commands that a proxy has forwarded. */
  readonly forwarded: Recent;
}

const BASIC_AUTH: ErrorType = { type: "PROXY", proxyErr: { type: "BASIC_AUTH" } };
const HOST: ErrorType = brokerErr({ type: "HOST" });
const FAILED: ErrorType = networkErr({ type: "failedError" });
/** Their sender can do nothing before the answer, so no order has to be kept; and who looks for links may look long. */
const LINK_COMMANDS: ReadonlySet<string> = new Set(["LKEY", "LGET"]);

/** Resolves once the command is on its way, to what will answer it. */
export async function startBeside(surroundings: Surroundings, request: BesideRequest): Promise<() => Promise<Message>> {
  const { command } = request;
  switch (command.tag) {
    case "PRXY":
      return () => orFailed(openDestination(surroundings, command));
    case "PFWD":
      return () => orFailed(forwardOut(surroundings, request, command));
    case "RFWD":
      return await startForwarded(surroundings, request, command);
  }
}

/** What a failed object was doing for a client is not known: for it the way was broken. */
async function orFailed(answer: Promise<Message>): Promise<Message> {
  try {
    return await answer;
  } catch (error) {
    report("a destination could not be asked", error);
    return err(FAILED);
  }
}

async function openDestination(
  { origin: { env, context: { config } }, remember }: Surroundings,
  { server, basicAuth }: CommandOf<"PRXY">,
): Promise<Message> {
  if (!config.proxy.isOn || !knowsPassword(config.policy.password, basicAuth)) return err(BASIC_AUTH);
  const address = readDestination(server, config.proxy);
  if (!address) return err(HOST);
  const destination = destinationId(env, address).toString();
  const message = await destinationAt(env, destination).open(address);
  if (message.tag === "PKEY") remember({ sessionId: message.sessionId, destination });
  return message;
}

async function forwardOut(
  { origin: { env }, session }: Surroundings,
  { corrId, entityId }: Request,
  { version, key, encTransmission }: CommandOf<"PFWD">,
): Promise<Message> {
  const destination = destinationOf(session(), entityId);
  if (destination === null) return err(NO_SESSION);
  const forwarded = { fwdCorrId: corrId, fwdVersion: version, fwdKey: key, fwdTransmission: encTransmission };
  return await destinationAt(env, destination).forward(entityId, forwarded);
}

async function startForwarded(
  { origin, session, limit, forwarded }: Surroundings,
  { corrId }: Request,
  { encFwdTransmission }: CommandOf<"RFWD">,
): Promise<() => Promise<Message>> {
  try {
    const { received, version, once, seal } = openCommand(session(), corrId, encFwdTransmission);
    if (forwarded.add(once)) throw new BadForwarding({ type: "CRYPTO" });
    if ("reply" in received) return async () => seal(received.reply);
    const limited = limit(received);
    if ("reply" in limited) return async () => seal({ ...limited.reply, message: err(FORWARDED_TOO_MANY) });
    // As its own client, not as the proxy: with its version, and never as a service.
    const caller = { ...origin.caller, version, serviceId: null };
    const start = (): Promise<Promise<Answer>[]> => forward({ ...origin, caller, service: null }, [limited.request]);
    const finish = async ([answer]: Promise<Answer>[]): Promise<Message> =>
      seal(answer ? (await answer).reply : failedReply(limited.request));
    if (LINK_COMMANDS.has(limited.request.command.tag)) return async () => finish(await start());
    const started = await start();
    return () => finish(started);
  } catch (error) {
    if (error instanceof BadForwarding) return async () => err(error.error);
    throw error;
  }
}

function failedReply({ corrId, entityId }: Request): Reply {
  return { corrId, entityId, message: err({ type: "INTERNAL" }) };
}
