import { type Codec, large, word16 } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { refuse } from "./errors.ts";
import { vector } from "./vector.ts";

/** Every extension that this client offers (RFC 8446 section 4.2). */
export const EXTENSION = {
  supported_groups: 10,
  signature_algorithms: 13,
  /** ALPN, RFC 7301. */
  application_layer_protocol_negotiation: 16,
  supported_versions: 43,
  key_share: 51,
} as const;

export type ExtensionName = keyof typeof EXTENSION;

export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

export const extensions: Codec<Extension[]> = vector(word16, struct<Extension>({ type: word16, data: large }));

const OFFERED: ReadonlySet<number> = new Set(Object.values(EXTENSION));

/**
 * The extensions of an answer by type, after the rules of RFC 8446 section 4.2: none twice, none that was not
 * offered, none outside the message where it belongs.
 * @throws TlsError
 */
export function answeredExtensions(
  list: readonly Extension[],
  where: string,
  allowed: readonly ExtensionName[],
): ReadonlyMap<number, Uint8Array> {
  const places: ReadonlySet<number> = new Set(allowed.map((name) => EXTENSION[name]));
  for (const { type } of list) {
    if (!OFFERED.has(type)) refuse("unsupported_extension", `${where} has extension ${type}, which was not offered`);
    if (!places.has(type)) refuse("illegal_parameter", `${where} has extension ${type}, which does not belong there`);
  }
  return byType(list, where);
}

/** @throws TlsError when one stands there twice. */
export function byType(list: readonly Extension[], where: string): ReadonlyMap<number, Uint8Array> {
  const types = new Map(list.map(({ type, data }) => [type, data]));
  if (types.size < list.length) refuse("illegal_parameter", `${where} has an extension twice`);
  return types;
}

/** @throws TlsError when it is missing. */
export function required(types: ReadonlyMap<number, Uint8Array>, name: ExtensionName, where: string): Uint8Array {
  return types.get(EXTENSION[name]) ?? refuse("missing_extension", `${where} has no ${name}`);
}
