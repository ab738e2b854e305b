import { ChatError } from "./errors.ts";
import type { FileInvitation } from "./wire/file.ts";

/** A file to be sent with a message. */
export interface OutgoingFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly bytes: () => Promise<Uint8Array>;
}

/** Whatever brings files from one side to the other. */
export interface Files {
  /** How the file is announced in the message. @throws ChatError when it cannot be sent */
  announce(file: OutgoingFile): Promise<FileInvitation>;
}

/** Refuses all files; pictures still go as previews in the message itself. */
export const NO_FILES: Files = {
  announce: ({ name }) =>
    Promise.reject(new ChatError("UNSUPPORTED", `'${name}' cannot be sent: this program does not send files yet`)),
};
