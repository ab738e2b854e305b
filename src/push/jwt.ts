import { base64urlUnpadded, utf8 } from "#crypto/bytes";

type JsonFields = Readonly<Record<string, string | number>>;

function part(fields: JsonFields): string {
  return base64urlUnpadded(utf8(JSON.stringify(fields)));
}

/** A JSON Web Token in compact form (RFC 7515 section 7.1). */
export async function signJwt(
  header: JsonFields,
  claims: JsonFields,
  sign: (message: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${base64urlUnpadded(await sign(utf8(signed)))}`;
}
