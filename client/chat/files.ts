import type { FileInvitation } from "./wire/file.ts";

/** A file to be sent with a message. */
export interface OutgoingFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly bytes: Uint8Array | (() => Promise<Uint8Array>);
}

/** Whatever brings files that are too large to go between messages from one side to the other. */
export interface Files {
  /** How the file is announced in the message. @throws ChatError when it cannot be sent */
  announce(file: OutgoingFile): Promise<FileInvitation>;
}
