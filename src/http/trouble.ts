import { CryptoError } from "#crypto/errors";
import { AddressError } from "#protocol/address";
import { ConfigError } from "../config.ts";
import { report } from "../objects/log.ts";
import { IdentityError } from "../relay/identity.ts";

/** What may be told to anybody about an error, and what helps against it. The details are only in the log. */
export interface Trouble {
  readonly status: 400 | 503;
  readonly title: string;
  readonly text: string;
  /** What the operator does about it; null when there is nothing to be done. */
  readonly remedy: string | null;
}

const BAD_HOST: Trouble = {
  status: 400,
  title: "That is not a host name",
  text: "The request names a host under which no relay can be reached.",
  remedy: null,
};

const WRONG_SETTINGS: Trouble = {
  status: 503,
  title: "This relay is not set up",
  text: "Its settings are wrong, so it takes no connections yet.",
  remedy: "The log names every mistake (on Cloudflare: run `wrangler tail`, then load this page again). "
    + "Correct the settings it names and deploy or start the relay again.",
};

const WRONG_IDENTITY: Trouble = {
  status: 503,
  title: "This relay cannot prove who it is",
  text: "Its certificates or keys do not hold, so it takes no connections.",
  remedy: "The log says why (on Cloudflare: run `wrangler tail`, then load this page again). "
    + "Restore the identity from a backup, as the secret `RELAY_IDENTITY` or with `PUT /admin/identity`.",
};

const NO_ANSWER: Trouble = {
  status: 503,
  title: "This relay does not answer",
  text: "Its storage cannot be reached right now. This usually passes: try again in a minute.",
  remedy: "The log says what failed (on Cloudflare: run `wrangler tail`, then load this page again).",
};

/** Whether an error says that the relay's certificates or keys do not hold. */
export function isIdentityTrouble(error: unknown): boolean {
  return error instanceof IdentityError || error instanceof CryptoError;
}

/** Reports what the operator has to know, and returns what everybody may. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof AddressError) return BAD_HOST;
  report("a page could not be shown", error);
  if (error instanceof ConfigError) return WRONG_SETTINGS;
  return isIdentityTrouble(error) ? WRONG_IDENTITY : NO_ANSWER;
}
