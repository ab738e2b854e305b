import { AddressError } from "#protocol/address";
import { DecodeError } from "#protocol/codec";
import { type ErrorCode, SimplexError } from "../../errors.ts";

/** What is wrong with a link or with the data behind it. */
export type LinkFailure =
  /** Not a SimpleX link, damaged, or of a kind that is not known. */
  | "SYNTAX"
  /** No version in common with whoever made the link. */
  | "VERSION"
  /** The link's secret has another length than it must have. */
  | "KEY"
  /** A short link that does not say enough about its server, which is not among the known ones. */
  | "SERVER"
  /** The data of a short link does not open with the link's secret. */
  | "DECRYPT"
  /** The link's secret belongs to other data: the server gave something else. */
  | "HASH"
  /** Not signed by who made the link or by one of its owners. */
  | "SIGNATURE"
  /** An owner of the link is not authorized, or named twice. */
  | "OWNER"
  /** The data is for a queue at another address than the link's. */
  | "ADDRESS"
  /** The data does not fit behind a short link. */
  | "LARGE"
  /** It was used or deleted, or never led anywhere. */
  | "GONE";

/** A link cannot be used. What follows from `failure` is the same for every further attempt with the same data. */
export class LinkError extends SimplexError {
  override readonly name = "LinkError";
  readonly code: ErrorCode = "LINK";
  readonly failure: LinkFailure;

  constructor(failure: LinkFailure, what: string, options?: ErrorOptions) {
    super(what, options);
    this.failure = failure;
  }
}

/** Turns what the parsers of addresses and bytes throw into a LinkError "SYNTAX". */
export function readingLink<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof AddressError || cause instanceof DecodeError)) throw cause;
    throw new LinkError("SYNTAX", `${what}: ${cause.message}`, { cause });
  }
}
