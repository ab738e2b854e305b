import { concat, EMPTY, equal } from "#crypto/bytes";
import { fingerprint, issueCaCertificate, issueServerCertificate } from "#crypto/certificate";
import { dh, generateKeyPair, type KeyPair, type SecretKey, sign, type SignatureAlgorithm } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { type Codec, decode, encode, word16 } from "#protocol/codec";
import { ALERTS, type AlertName, alertName } from "../../src/tls/errors.ts";
import { EXTENSION, type Extension, type ExtensionName, extensions } from "../../src/tls/extensions.ts";
import { Frames } from "../../src/tls/frames.ts";
import {
  applicationSecrets,
  type HandshakeSecrets,
  handshakeSecrets,
  verifyData,
} from "../../src/tls/key-schedule.ts";
import { certificateMessage } from "../../src/tls/messages/certificate.ts";
import { certificateRequest } from "../../src/tls/messages/certificate-request.ts";
import { certificateVerify, signedByServer } from "../../src/tls/messages/certificate-verify.ts";
import {
  type ClientHello,
  clientHello,
  keyShare,
  numbers,
  protocolNames,
} from "../../src/tls/messages/client-hello.ts";
import { writeFinished } from "../../src/tls/messages/finished.ts";
import { readKeyUpdate, writeKeyUpdate } from "../../src/tls/messages/key-update.ts";
import { HANDSHAKE, type HandshakeName, readHandshakeHeader, writeMessage } from "../../src/tls/messages/message.ts";
import { serverHello } from "../../src/tls/messages/server-hello.ts";
import { Protection } from "../../src/tls/protection.ts";
import { CONTENT, type ContentType, readRecordHeader, writeRecordHeader } from "../../src/tls/record.ts";
import { SIGNATURE_SCHEMES, SMP_NAME } from "../../src/tls/suite.ts";
import { vector } from "../../src/tls/vector.ts";
import { Transcript } from "../../src/tls/transcript.ts";

/** A server's certificates and the key of its leaf. */
export interface ServerKeys {
  /** Leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly leaf: KeyPair<SignatureAlgorithm>;
  readonly ca: { readonly certificate: Uint8Array; readonly secretKey: SecretKey<SignatureAlgorithm> };
  readonly fingerprint: Uint8Array;
}

export function serverKeys(algorithm: SignatureAlgorithm, now: number, leafAlgorithm = algorithm): ServerKeys {
  const [root, leaf] = [generateKeyPair(algorithm), generateKeyPair(leafAlgorithm)];
  const ca = { certificate: issueCaCertificate(root.publicKey, root.secretKey, now), secretKey: root.secretKey };
  const leafDer = issueServerCertificate(leaf.publicKey, "relay.example", ca, now);
  return { chain: [leafDer, ca.certificate], leaf, ca, fingerprint: fingerprint(ca.certificate) };
}

/** How a server differs from an honest one. */
export interface Script {
  /** Says something else than the honest message; later hashes and signatures are of what was said. */
  readonly rewrite?: { readonly [K in HandshakeName]?: (honest: Uint8Array) => Uint8Array };
  /** Does something before a message. */
  readonly before?: { readonly [K in HandshakeName]?: (server: ScriptedServer) => void };
  readonly asksForCertificate?: boolean;
  /** Bytes of handshake messages in a record; 0: all of the flight that can be together is in one record. */
  readonly recordSize?: number;
  /** Zeros at the end of each protected record. */
  readonly padding?: number;
  readonly sendsNoChangeCipherSpec?: boolean;
}

/** The honest message with its body rewritten. */
export function rewriteBody<T>(name: HandshakeName, codec: Codec<T>, change: (value: T) => T) {
  return (honest: Uint8Array): Uint8Array => writeMessage(name, codec, change(decode(codec, honest.subarray(4))));
}

export function extension<T>(name: ExtensionName, codec: Codec<T>, value: T): Extension {
  return { type: EXTENSION[name], data: encode(codec, value) };
}

/** A server of TLS 1.3 in memory that does as its script says, and notes what the client says. */
export class ScriptedServer {
  readonly #keys: ServerKeys;
  readonly #script: Script;
  readonly #records = new Frames(5, (header) => readRecordHeader(header).length);
  readonly #messages = new Frames(4, (header) => readHandshakeHeader(header).length);
  readonly #transcript = new Transcript();
  #out: Uint8Array[] = [];
  #waiting: Uint8Array[] = [];
  #reading: Protection | null = null;
  #writing: Protection | null = null;
  #secrets: HandshakeSecrets | null = null;

  /** What the client said. */
  hello: ClientHello | null = null;
  readonly data: Uint8Array[] = [];
  readonly alerts: (AlertName | null)[] = [];
  /** Types of the records as they came, before they were opened. */
  readonly recordTypes: number[] = [];
  /** The client's verify_data, once it has been found to be right. */
  clientFinished: Uint8Array | null = null;
  clientCertificate: Uint8Array | null = null;
  keyUpdates = 0;

  constructor(keys: ServerKeys, script: Script = {}) {
    this.#keys = keys;
    this.#script = script;
  }

  takeOutgoing(): Uint8Array {
    this.#flush();
    const bytes = concat(...this.#out);
    this.#out = [];
    return bytes;
  }

  receive(bytes: Uint8Array): void {
    for (const { header, body } of this.#records.read(bytes)) this.#receiveRecord(header, body);
  }

  /** A record under the present keys. */
  write(type: number, content: Uint8Array): void {
    this.#flush();
    this.#seal(type, content);
  }

  /** A record as it stands, never protected. */
  writePlain(type: number, content: Uint8Array, version = 0x0303): void {
    this.#flush();
    this.#out.push(writeRecordHeader(type as ContentType, content.length, version), content);
  }

  /** Any bytes at all. */
  writeRaw(bytes: Uint8Array): void {
    this.#flush();
    this.#out.push(bytes);
  }

  alert(name: AlertName): void {
    this.write(CONTENT.alert, Uint8Array.of(2, ALERTS[name]));
  }

  updateKeys(isRequested: boolean): void {
    this.write(CONTENT.handshake, writeKeyUpdate(isRequested));
    this.#writing = this.#writing?.next() ?? null;
  }

  #seal(type: number, content: Uint8Array): void {
    if (!this.#writing) return this.writePlain(type, content);
    const plaintext = concat(content, Uint8Array.of(type), new Uint8Array(this.#script.padding ?? 0));
    const header = writeRecordHeader(CONTENT.applicationData, plaintext.length + 16);
    this.#out.push(header, this.#writing.seal(plaintext, header));
  }

  /** Handshake messages go out in records of the size that the script wants. */
  #flush(): void {
    const bytes = concat(...this.#waiting);
    this.#waiting = [];
    const size = this.#script.recordSize || 16_384;
    for (let offset = 0; offset < bytes.length; offset += size) {
      this.#seal(CONTENT.handshake, bytes.subarray(offset, offset + size));
    }
  }

  #say(name: HandshakeName, honest: Uint8Array): void {
    this.#script.before?.[name]?.(this);
    const said = this.#script.rewrite?.[name]?.(honest) ?? honest;
    this.#transcript.add(said);
    this.#waiting.push(said);
    if (this.#script.recordSize !== 0) this.#flush();
  }

  #receiveRecord(header: Uint8Array, body: Uint8Array): void {
    const { type } = readRecordHeader(header);
    this.recordTypes.push(type);
    if (type === CONTENT.changeCipherSpec) return;
    if (type !== CONTENT.applicationData) return this.#receiveContent(type, body);
    if (!this.#reading) throw new Error("the client protects a record before it can");
    const inner = this.#reading.open(body, header);
    const end = inner.findLastIndex((byte) => byte !== 0);
    this.#receiveContent(inner[end] ?? 0, inner.slice(0, end));
  }

  #receiveContent(type: number, content: Uint8Array): void {
    if (type === CONTENT.applicationData) this.data.push(content);
    else if (type === CONTENT.alert) this.alerts.push(alertName(content[1] ?? 255));
    else for (const { header, body } of this.#messages.read(content)) this.#receiveMessage(header, body);
  }

  #receiveMessage(header: Uint8Array, body: Uint8Array): void {
    const { type } = readHandshakeHeader(header);
    const bytes = concat(header, body);
    switch (type) {
      case HANDSHAKE.client_hello:
        this.hello = decode(clientHello, body);
        this.#transcript.add(bytes);
        return this.#answer(this.hello);
      case HANDSHAKE.certificate:
        this.clientCertificate = body;
        return this.#transcript.add(bytes);
      case HANDSHAKE.finished:
        return this.#receiveFinished(body);
      case HANDSHAKE.key_update:
        readKeyUpdate({ type, body, bytes });
        this.keyUpdates++;
        this.#reading = this.#reading?.next() ?? null;
        return undefined;
      default:
        throw new Error(`the client sent handshake message ${type}`);
    }
  }

  #answer(hello: ClientHello): void {
    const share = hello.extensions.find(({ type }) => type === EXTENSION.key_share);
    const [clientKey] = decode(vector(word16, keyShare), share?.data ?? EMPTY);
    if (!clientKey) throw new Error("the client sent no key");
    const { publicKey, secretKey } = generateKeyPair("X25519");
    this.#say("server_hello", writeMessage("server_hello", serverHello, {
      legacyVersion: 0x0303,
      random: randomBytes(32),
      legacySessionIdEcho: hello.legacySessionId,
      cipherSuite: 0x1303,
      legacyCompressionMethod: 0,
      extensions: [
        extension("key_share", keyShare, { group: 0x001d, key: publicKey.raw }),
        extension("supported_versions", word16, 0x0304),
      ],
    }));
    this.#flush();
    if (!this.#script.sendsNoChangeCipherSpec) this.writePlain(CONTENT.changeCipherSpec, Uint8Array.of(1));
    const shared = dh(secretKey, { algorithm: "X25519", raw: clientKey.key });
    const secrets = handshakeSecrets(shared, this.#transcript.hash());
    this.#secrets = secrets;
    this.#writing = new Protection(secrets.server);
    this.#reading = new Protection(secrets.client);
    this.#sayRest(secrets);
  }

  #sayRest(secrets: HandshakeSecrets): void {
    const { chain, leaf } = this.#keys;
    this.#say("encrypted_extensions", writeMessage("encrypted_extensions", extensions, [
      extension("application_layer_protocol_negotiation", protocolNames, [SMP_NAME]),
    ]));
    if (this.#script.asksForCertificate) {
      this.#say("certificate_request", writeMessage("certificate_request", certificateRequest, {
        requestContext: EMPTY,
        extensions: [extension("signature_algorithms", numbers, [0x0807])],
      }));
    }
    const entries = chain.map((data) => ({ data, extensions: [] }));
    this.#say("certificate", writeMessage("certificate", certificateMessage, { requestContext: EMPTY, entries }));
    this.#say("certificate_verify", writeMessage("certificate_verify", certificateVerify, {
      scheme: SIGNATURE_SCHEMES[leaf.publicKey.algorithm],
      signature: sign(leaf.secretKey, signedByServer(this.#transcript.hash())),
    }));
    this.#say("finished", writeFinished(verifyData(secrets.server, this.#transcript.hash())));
    this.#flush();
    this.#writing = new Protection(applicationSecrets(secrets.master, this.#transcript.hash()).server);
    // The client's come after its Finished, with the same hash: the client's Finished is not part of it.
    this.#application = applicationSecrets(secrets.master, this.#transcript.hash()).client;
  }

  #application: Uint8Array = EMPTY;

  #receiveFinished(body: Uint8Array): void {
    const expected = verifyData(this.#secrets?.client ?? EMPTY, this.#transcript.hash());
    if (!equal(body, expected)) throw new Error("the client's Finished is wrong");
    this.clientFinished = body;
    this.#reading = new Protection(this.#application);
  }
}
