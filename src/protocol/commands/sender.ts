import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import { bool, type Codec, tail } from "../codec.ts";
import { struct } from "../combine.ts";
import { authKey } from "../key.ts";
import { none, spaced, type TagTable } from "../tagged.ts";

export type SenderCommand =
  | { readonly tag: "SKEY"; readonly key: PublicKey<AuthAlgorithm> }
  | { readonly tag: "SEND"; readonly notification: boolean; readonly body: Uint8Array }
  | { readonly tag: "PING" };

export type SenderAnswer = { readonly tag: "OK" | "PONG" };

const SPACE = 0x20;

/** MsgFlags: one boolean today; what else stands before the next space is for later versions and ignored. */
export const msgFlags: Codec<boolean> = {
  write: (writer, value, version) => bool.write(writer, value, version),
  read(reader, version) {
    const notification = bool.read(reader, version);
    reader.takeUntil(SPACE);
    return notification;
  },
};

export const senderCommands: TagTable<SenderCommand> = {
  SKEY: spaced(struct({ key: authKey })),
  SEND: spaced(struct({ notification: msgFlags, body: spaced(tail) })),
  PING: none,
};

export const senderAnswers: TagTable<SenderAnswer> = { OK: none, PONG: none };
