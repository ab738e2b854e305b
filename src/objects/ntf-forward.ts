import type { AuthContext } from "#protocol/authorize";
import type { NtfAnswer, NtfCommandTag, TNEW } from "#protocol/ntf/commands";
import type { NtfAsked } from "../relay/notification/dispatch.ts";
import type { NtfRequest } from "../relay/notification/execute.ts";
import { newDevice } from "../relay/notification/ids.ts";
import { refusalOf } from "../relay/notification/registrations.ts";
import { registrationsOf } from "./device-registrations.ts";
import type { Env } from "./env.ts";
import { deviceAt, findDevice } from "./locate.ts";
import { report } from "./log.ts";
import { type Notifications, notificationsOf } from "./notifications.ts";
import { calling } from "./retry.ts";

/** Done once, their second attempt would answer as if the first had failed. */
const UNREPEATABLE: ReadonlySet<NtfCommandTag> = new Set<NtfCommandTag>(["TDEL", "SDEL"]);

const QUOTA: NtfAnswer = { tag: "ERR", error: { type: "QUOTA" } };
/** Whether the command was done is not known; with this error official clients try again. */
const UNKNOWN_RESULT: NtfAnswer = { tag: "ERR", error: { type: "STORE", storeErr: "the token did not answer, try again" } };

/**
 * TNEW: the device token tells under which name this registration is or will be. A registration that comes to its end
 * before its device has heard of it is found again by the next TNEW with the same key, or gives way.
 */
async function register(
  env: Env,
  notifications: Notifications,
  command: TNEW,
  auth: AuthContext,
): Promise<NtfAnswer | Uint8Array> {
  const refusal = refusalOf(command, auth, (token) => notifications.provider.allows(token));
  if (refusal) return refusal;
  const { token, verifyKey } = command;
  const device = newDevice();
  return await calling(() => registrationsOf(env, notifications, token).enroll(token, verifyKey, device)) ?? QUOTA;
}

/** The name of the token that a command is about; null: no token has that id. */
function deviceOf({ ids }: Notifications, { command, entityId }: NtfRequest): Uint8Array | null {
  switch (command.tag) {
    case "SNEW":
      return ids.deviceOfToken(command.tokenId);
    case "SCHK":
    case "SDEL":
      return ids.deviceOfSub(entityId);
    default:
      return ids.deviceOfToken(entityId);
  }
}

const NAMELESS = new Uint8Array(16);

async function handle(env: Env, request: NtfRequest): Promise<NtfAnswer> {
  const notifications = await notificationsOf(env);
  if (request.command.tag === "TNEW") {
    const device = await register(env, notifications, request.command, request.auth);
    return device instanceof Uint8Array ? await calling(() => deviceAt(env, device).handle(device, request)) : device;
  }
  const device = deviceOf(notifications, request);
  const call = async (): Promise<NtfAnswer> => (await findDevice(env, device)).handle(device ?? NAMELESS, request);
  return UNREPEATABLE.has(request.command.tag) ? await call() : await calling(call);
}

/** Brings a command to its token. */
export async function forwardNtf(env: Env, { command, entityId, auth }: NtfAsked): Promise<NtfAnswer> {
  if (command.tag === "PING") return { tag: "PONG" };
  try {
    return await handle(env, { command, entityId, auth });
  } catch (error) {
    report("a command on a token could not be done", error);
    return UNKNOWN_RESULT;
  }
}
