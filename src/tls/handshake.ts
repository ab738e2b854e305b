import { wipe } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { dh, generateKeyPair, type SecretKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { refuse } from "./errors.ts";
import type { Incoming } from "./incoming.ts";
import { applicationSecrets, type HandshakeSecrets, handshakeSecrets, verifyData } from "./key-schedule.ts";
import { readCertificates, writeNoCertificate } from "./messages/certificate.ts";
import { readCertificateRequest } from "./messages/certificate-request.ts";
import { checkCertificateVerify } from "./messages/certificate-verify.ts";
import { RANDOM_LENGTH, SESSION_ID_LENGTH, writeClientHello } from "./messages/client-hello.ts";
import { readEncryptedExtensions } from "./messages/encrypted-extensions.ts";
import { checkFinished, writeFinished } from "./messages/finished.ts";
import { HANDSHAKE, type HandshakeMessage } from "./messages/message.ts";
import { readServerHello } from "./messages/server-hello.ts";
import type { Outgoing } from "./outgoing.ts";
import { checkServerIdentity, type ServerIdentity } from "./server-identity.ts";
import { Transcript } from "./transcript.ts";

/** What a handshake leaves behind besides the keys. */
export interface TlsSession {
  /** The client's own Finished verify_data, 32 bytes: `tls-unique`, which is the session id of SMP. */
  readonly channelBinding: Uint8Array;
  /** The server's verified chain in DER, leaf first. */
  readonly certificates: readonly Uint8Array[];
}

function agree(secretKey: SecretKey<"X25519">, key: Uint8Array): Uint8Array {
  try {
    return dh(secretKey, { algorithm: "X25519", raw: key });
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    return refuse("illegal_parameter", "the server's X25519 key is of low order", { cause });
  }
}

/**
 * The client's whole handshake (RFC 8446 section 2) in the order in which it happens: it is resumed with each
 * message of the server, and says and changes keys by itself.
 * @throws TlsError
 */
export function* handshake(
  incoming: Incoming,
  outgoing: Outgoing,
  expected: ServerIdentity,
): Generator<undefined, TlsSession, HandshakeMessage> {
  const transcript = new Transcript();
  const say = (message: Uint8Array): void => {
    transcript.add(message);
    outgoing.handshake(message);
  };

  const { publicKey, secretKey } = generateKeyPair("X25519");
  const sessionId = randomBytes(SESSION_ID_LENGTH);
  say(writeClientHello(randomBytes(RANDOM_LENGTH), sessionId, publicKey.raw));

  const serverHello = yield;
  const serverKey = readServerHello(serverHello, sessionId);
  transcript.add(serverHello.bytes);
  const secrets = keysOf(secretKey, serverKey, transcript);
  incoming.protectWith(secrets.server);
  outgoing.changeCipherSpec();
  outgoing.protectWith(secrets.client);

  const encryptedExtensions = yield;
  readEncryptedExtensions(encryptedExtensions);
  transcript.add(encryptedExtensions.bytes);

  let message = yield;
  const isAskedForCertificate = message.type === HANDSHAKE.certificate_request;
  if (isAskedForCertificate) {
    readCertificateRequest(message);
    transcript.add(message.bytes);
    message = yield;
  }
  const certificates = readCertificates(message);
  const leafKey = checkServerIdentity(certificates, expected);
  transcript.add(message.bytes);

  const certificateVerify = yield;
  checkCertificateVerify(certificateVerify, leafKey, transcript.hash());
  transcript.add(certificateVerify.bytes);

  const finished = yield;
  checkFinished(finished, verifyData(secrets.server, transcript.hash()));
  transcript.add(finished.bytes);

  const application = applicationSecrets(secrets.master, transcript.hash());
  if (isAskedForCertificate) say(writeNoCertificate());
  const channelBinding = verifyData(secrets.client, transcript.hash());
  say(writeFinished(channelBinding));
  incoming.protectWith(application.server);
  outgoing.protectWith(application.client);
  for (const secret of [...Object.values(secrets), ...Object.values(application)]) wipe(secret);
  return { channelBinding, certificates };
}

/** Uses up the client's secret key. */
function keysOf(secretKey: SecretKey<"X25519">, serverKey: Uint8Array, transcript: Transcript): HandshakeSecrets {
  const shared = agree(secretKey, serverKey);
  const secrets = handshakeSecrets(shared, transcript.hash());
  wipe(shared);
  wipe(secretKey.secret);
  return secrets;
}
