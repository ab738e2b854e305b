import type { DeviceToken } from "#protocol/ntf/token";
import type { Push } from "../relay/notification/ports.ts";
import { fixConfiguration, gone, type Prepared, type Provider, SENT } from "./provider.ts";

/** Takes apns_null also where Apple's service is not set up: nothing is sent, and clients test servers with it. */
const nobody: Provider = {
  allows: ({ provider }) => provider === "apns_null",
  prepare: () => Promise.resolve<Prepared>({ type: "result", result: SENT }),
  read: () => gone("BAD"),
};

/** All that an operator has set up, as one: each token goes to the first that allows it. */
export function oneOf(set: readonly Provider[]): Provider {
  const all = [...set, nobody];
  const find = (token: DeviceToken): Provider | undefined => all.find((provider) => provider.allows(token));
  return {
    allows: (token) => find(token) !== undefined,
    prepare(push: Push, now: number) {
      const result = fixConfiguration(`nobody pushes to tokens of ${push.token.provider} here any more`);
      return find(push.token)?.prepare(push, now) ?? Promise.resolve<Prepared>({ type: "result", result });
    },
    read: (answer, push, now) => find(push.token)?.read(answer, push, now) ?? gone("BAD"),
  };
}
