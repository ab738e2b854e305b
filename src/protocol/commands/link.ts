import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import { str } from "../codec.ts";
import { struct } from "../combine.ts";
import { authKey } from "../key.ts";
import { none, spaced, type TagTable } from "../tagged.ts";
import { type LinkData, linkData } from "./queue.ts";

export type LinkCommand =
  | { readonly tag: "LKEY"; readonly key: PublicKey<AuthAlgorithm> }
  | { readonly tag: "LGET" };

export interface LNK {
  readonly tag: "LNK";
  readonly senderId: Uint8Array;
  readonly linkData: LinkData;
}

export const linkCommands: TagTable<LinkCommand> = { LKEY: spaced(struct({ key: authKey })), LGET: none };
export const linkAnswers: TagTable<LNK> = { LNK: spaced(struct({ senderId: str, linkData })) };
