import { fromUtf8, utf8 } from "#crypto/bytes";
import { type Codec, tail, text, transform } from "../codec.ts";
import { struct } from "../combine.ts";
import { spaced, type TagTable } from "../tagged.ts";

export interface RSLV {
  readonly tag: "RSLV";
  /** At least two labels, lower case. */
  readonly domain: string;
}

/** RNAME's JSON: what a name resolves to. */
export interface NameRecord {
  readonly name: string;
  readonly nickname: string;
  readonly website: string;
  readonly location: string;
  readonly simplexContact: readonly string[];
  readonly simplexChannel: readonly string[];
  readonly eth: string | null;
  readonly btc: string | null;
  readonly xmr: string | null;
  readonly dot: string | null;
  readonly owner: string;
  readonly resolver: string;
}

export interface RNAME {
  readonly tag: "RNAME";
  readonly record: NameRecord;
}

const MAX_DOMAIN = 253;
const DOMAIN = /^(?:[a-z0-9](?:-?[a-z0-9])*\.)+[a-z0-9](?:-?[a-z0-9])*$/;
const MAX_LABEL = 63;

/** ASCII white space ends the name; whatever follows is ignored. */
function firstWord(bytes: Uint8Array): string {
  const end = bytes.findIndex((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
  return fromUtf8(end < 0 ? bytes : bytes.subarray(0, end));
}

function parseDomain(bytes: Uint8Array): string {
  const domain = firstWord(bytes).toLowerCase();
  const isDomain = domain.length <= MAX_DOMAIN && DOMAIN.test(domain)
    && domain.split(".").every((label) => label.length <= MAX_LABEL);
  if (!isDomain) throw new RangeError("not a domain name");
  return domain;
}

const domain: Codec<string> = transform(tail, parseDomain, utf8);

function parseRecord(json: string): NameRecord {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null || !("name" in value)) throw new RangeError("name record lacks its name");
  return value as NameRecord;
}

export const nameCommands: TagTable<RSLV> = { RSLV: spaced(struct({ domain })) };
export const nameAnswers: TagTable<RNAME> = {
  RNAME: spaced(struct({ record: transform(text(tail), parseRecord, (record) => JSON.stringify(record)) })),
};
