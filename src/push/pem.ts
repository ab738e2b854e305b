import { PushConfigError } from "./config-error.ts";

const PEM = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/;

/**
 * The DER inside a PEM text of a PKCS#8 key; a text whose line ends were escaped (`\n`) will do.
 * @throws PushConfigError
 */
export function readPrivateKeyPem(text: string): Uint8Array {
  const body = PEM.exec(text.replaceAll("\\n", "\n"))?.[1];
  if (body === undefined) throw new PushConfigError("the key is no text that begins with -----BEGIN PRIVATE KEY-----");
  try {
    return Uint8Array.from(atob(body.replaceAll(/\s/g, "")), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new PushConfigError("the key's PEM text is damaged", { cause });
  }
}
