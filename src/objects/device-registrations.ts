import type { DeviceToken } from "#protocol/ntf/token";
import type { DeviceTokensApi } from "./api.ts";
import type { Env } from "./env.ts";
import { deviceTokensAt } from "./locate.ts";
import type { Notifications } from "./notifications.ts";

/** Of a device token that is everybody's and to which nothing is sent: its registrations have nothing in common. */
const UNRELATED: DeviceTokensApi = {
  enroll: async (_token, _verifyKey, device) => device,
  activate: async () => true,
  release: async () => undefined,
};

/** What knows the registrations of a device token. To be asked for before each call. */
export function registrationsOf(
  env: Env,
  { tokensName }: Pick<Notifications, "tokensName">,
  token: DeviceToken,
): DeviceTokensApi {
  return token.provider === "apns_null" ? UNRELATED : deviceTokensAt(env, tokensName(token));
}
