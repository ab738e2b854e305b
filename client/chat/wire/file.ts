import { bool, type JsonCodec, natural, object, oneOf, optional, text } from "./json.ts";

/** A part of the description by which a file is fetched. */
export interface FileDescr {
  readonly fileDescrText: string;
  /** 1, 2, 3...; 0 stands for a description that follows later. */
  readonly fileDescrPartNo: number;
  /** Whether this is the last part. */
  readonly fileDescrComplete: boolean;
}

export const fileDescr: JsonCodec<FileDescr> = object<FileDescr>({
  fileDescrText: text,
  fileDescrPartNo: natural,
  fileDescrComplete: bool,
});

/** In place of the description of a file whose upload goes on. */
export const UNFINISHED_FILE_DESCR: FileDescr = { fileDescrText: "", fileDescrPartNo: 0, fileDescrComplete: false };

/** Announces a file. The name is as it was sent: reduce it with `safeFileName` before it is used. */
export interface FileInvitation {
  readonly fileName: string;
  /** Bytes. */
  readonly fileSize: number;
  /** SHA-512 in base64url. */
  readonly fileDigest?: string;
  /** Link of a connection that carries the file (old clients). */
  readonly fileConnReq?: string;
  readonly fileInline?: "offer" | "sent";
  readonly fileDescr?: FileDescr;
}

export const fileInvitation: JsonCodec<FileInvitation> = object<FileInvitation>({
  fileName: text,
  fileSize: natural,
  fileDigest: optional(text),
  fileConnReq: optional(text),
  fileInline: optional(oneOf("offer", "sent")),
  fileDescr: optional(fileDescr),
});
