import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import { nonce, str } from "../codec.ts";
import { struct } from "../combine.ts";
import { authKey, dhKey } from "../key.ts";
import { none, spaced, type TagTable } from "../tagged.ts";

export type NotifierCommand =
  | { readonly tag: "NKEY"; readonly key: PublicKey<AuthAlgorithm>; readonly dhKey: PublicKey<"X25519"> }
  | { readonly tag: "NDEL" | "NSUB" };

export type NotifierAnswer =
  | { readonly tag: "NID"; readonly notifierId: Uint8Array; readonly dhKey: PublicKey<"X25519"> }
  | { readonly tag: "NMSG"; readonly nonce: Uint8Array; readonly encMeta: Uint8Array };

export const notifierCommands: TagTable<NotifierCommand> = {
  NKEY: spaced(struct({ key: authKey, dhKey })),
  NDEL: none,
  NSUB: none,
};

export const notifierAnswers: TagTable<NotifierAnswer> = {
  NID: spaced(struct({ notifierId: str, dhKey })),
  NMSG: spaced(struct({ nonce, encMeta: str })),
};
