import fc from "fast-check";
import { ALGORITHMS } from "#crypto/algorithms";
import type { AlgorithmName, PublicKey } from "#crypto/keys";
import type { Server } from "#protocol/address";
import type { CertChainPubKey } from "#protocol/certchain";
import type { Command, Message } from "#protocol/commands";
import type { LinkData, QueueInfo, QueueReqData } from "#protocol/commands/queue";
import type { NameRecord } from "#protocol/commands/name";
import type { BrokerError, ErrorType, NetworkError, ProxyError, TransportError } from "#protocol/errors";
import type { VersionRange } from "#protocol/version";

/** The protocol versions that exist: 13 was never used. */
export const VERSIONS: readonly number[] = [6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20];
export const version = fc.constantFrom(...VERSIONS);

export const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });
export const short = bytes(0, 255);
const tail = bytes(0, 600);
const large = fc.oneof({ weight: 9, arbitrary: bytes(0, 600) }, { weight: 1, arbitrary: bytes(300, 15_000) });
const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

export function publicKey<A extends AlgorithmName>(algorithm: A): fc.Arbitrary<PublicKey<A>> {
  return bytes(ALGORITHMS[algorithm].publicLength).map((raw) => ({ algorithm, raw }));
}
export const dhKey = publicKey("X25519");
export const authKey = fc.oneof(publicKey("Ed25519"), publicKey("Ed448"), publicKey("X25519"));

const latin1 = (maxLength: number): fc.Arbitrary<string> =>
  bytes(0, maxLength).map((codes) => Array.from(codes, (code) => String.fromCharCode(code)).join(""));
// A character outside ASCII takes up to four of the 255 bytes.
const password = fc.stringMatching(/^[!-.0-9;-?A-~]{0,60}$/);

export const versionRange: fc.Arbitrary<VersionRange> = fc.tuple(fc.nat(0xffff), fc.nat(0xffff)).map(
  ([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }),
);

export const certChainPubKey: fc.Arbitrary<CertChainPubKey> = fc.record({
  certChain: fc.array(bytes(0, 400), { minLength: 1, maxLength: 5 }),
  signedKey: bytes(0, 200),
}, { noNullPrototype: true });

const label = fc.stringMatching(/^[a-z0-9](?:-?[a-z0-9]){0,15}$/);
const domain = fc.array(label, { minLength: 2, maxLength: 5 }).map((labels) => labels.join("."));
const host = fc.oneof(domain, fc.ipV4(), fc.ipV6().map((address) => new URL(`http://[${address}]`).hostname.slice(1, -1)));

export const server: fc.Arbitrary<Server> = fc.record({
  hosts: fc.array(host, { minLength: 1, maxLength: 4 }),
  port: fc.oneof(fc.constant(""), fc.integer({ min: 1, max: 65_535 }).map(String)),
  keyHash: bytes(32),
}, { noNullPrototype: true });

const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

const linkData: fc.Arbitrary<LinkData> = record({ fixedData: large, userData: large });
const queueMode = fc.constantFrom("messaging" as const, "contact" as const);
const queueReqData: fc.Arbitrary<QueueReqData> = fc.oneof(
  record({ mode: fc.constant("messaging" as const), data: nullable(record({ senderId: short, linkData })) }),
  record({
    mode: fc.constant("contact" as const),
    data: nullable(record({ linkId: short, senderId: short, linkData })),
  }),
);

const count = fc.maxSafeInteger();
const idsHash = nullable(bytes(16));
const queues = nullable(record({ count, idsHash }));

/** Every command, each as likely as another. */
export const commands: Readonly<Record<Command["tag"], fc.Arbitrary<Command>>> = {
  NEW: record({
    tag: fc.constant("NEW" as const),
    rcvAuthKey: authKey,
    rcvDhKey: dhKey,
    basicAuth: nullable(password),
    subscribe: fc.boolean(),
    queueReqData: nullable(queueReqData),
    ntfCreds: nullable(record({ authKey, dhKey })),
  }),
  SUB: fc.constant({ tag: "SUB" }),
  LDEL: fc.constant({ tag: "LDEL" }),
  GET: fc.constant({ tag: "GET" }),
  OFF: fc.constant({ tag: "OFF" }),
  DEL: fc.constant({ tag: "DEL" }),
  QUE: fc.constant({ tag: "QUE" }),
  KEY: record({ tag: fc.constant("KEY" as const), key: authKey }),
  RKEY: record({ tag: fc.constant("RKEY" as const), keys: fc.array(authKey, { minLength: 1, maxLength: 6 }) }),
  LSET: record({ tag: fc.constant("LSET" as const), linkId: short, linkData }),
  ACK: record({ tag: fc.constant("ACK" as const), msgId: short }),
  SKEY: record({ tag: fc.constant("SKEY" as const), key: authKey }),
  SEND: record({ tag: fc.constant("SEND" as const), notification: fc.boolean(), body: tail }),
  PING: fc.constant({ tag: "PING" }),
  LKEY: record({ tag: fc.constant("LKEY" as const), key: authKey }),
  LGET: fc.constant({ tag: "LGET" }),
  NKEY: record({ tag: fc.constant("NKEY" as const), key: authKey, dhKey }),
  NDEL: fc.constant({ tag: "NDEL" }),
  NSUB: fc.constant({ tag: "NSUB" }),
  SUBS: record({ tag: fc.constant("SUBS" as const), queues }),
  NSUBS: record({ tag: fc.constant("NSUBS" as const), queues }),
  PRXY: record({ tag: fc.constant("PRXY" as const), server, basicAuth: nullable(password) }),
  PFWD: record({ tag: fc.constant("PFWD" as const), version: fc.nat(0xffff), key: dhKey, encTransmission: tail }),
  RFWD: record({ tag: fc.constant("RFWD" as const), encFwdTransmission: tail }),
  RSLV: record({ tag: fc.constant("RSLV" as const), domain }),
};
export const command: fc.Arbitrary<Command> = fc.oneof(...Object.values(commands));

const plainError = fc.constantFrom(
  ...(["BLOCK", "SESSION", "AUTH", "SERVICE", "CRYPTO", "QUOTA", "EXPIRED"] as const),
  ...(["NO_MSG", "LARGE_MSG", "INTERNAL", "DUPLICATE_"] as const),
).map((type): ErrorType => ({ type }));
const cmdErr = fc.constantFrom("UNKNOWN", "SYNTAX", "PROHIBITED", "NO_AUTH", "HAS_AUTH", "NO_ENTITY").map(
  (type) => ({ type }) as const,
);
const freeText = fc.string({ unit: "binary", maxLength: 80 });
const blockInfo = fc.tuple(
  fc.constantFrom("spam" as const, "content" as const),
  fc.oneof(fc.constant({}), fc.maxSafeInteger().map((ttl) => ({ ttl: ttl === 0 ? 1 : ttl })), fc.constant(null)),
).map(([reason, notice]) => (notice ? { reason, notice } : { reason }));

export const transportError: fc.Arbitrary<TransportError> = fc.oneof(
  fc.constantFrom("badBlock", "version", "largeMsg", "badSession", "noServerAuth").map((type) => ({ type }) as const),
  fc.constantFrom("PARSE", "IDENTITY", "BAD_AUTH", "BAD_SERVICE").map(
    (type) => ({ type: "handshake", handshakeErr: { type } }) as const,
  ),
);
const networkError: fc.Arbitrary<NetworkError> = fc.oneof(
  latin1(255).map((connectError) => ({ type: "connectError", connectError }) as const),
  latin1(255).map((tlsError) => ({ type: "tLSError", tlsError }) as const),
  latin1(255).map((subscribeError) => ({ type: "subscribeError", subscribeError }) as const),
  fc.constantFrom("unknownCAError", "failedError", "timeoutError").map((type) => ({ type }) as const),
);
const brokerError: fc.Arbitrary<BrokerError> = fc.oneof(
  record({ type: fc.constantFrom("RESPONSE" as const, "UNEXPECTED" as const), respErr: latin1(255) }),
  transportError.map((transportErr) => ({ type: "TRANSPORT", transportErr }) as const),
  networkError.map((detail) => ({ type: "NETWORK", networkError: detail }) as const),
  fc.constantFrom("TIMEOUT", "HOST", "NO_SERVICE").map((type) => ({ type }) as const),
);

/** Every error, also one that a proxy passes on from a proxy. */
export const { error } = fc.letrec<{ error: ErrorType; proxyErr: ProxyError }>((tie) => ({
  error: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    plainError,
    cmdErr.map((value) => ({ type: "CMD", cmdErr: value }) as const),
    blockInfo.map((value) => ({ type: "BLOCKED", blockInfo: value }) as const),
    freeText.map((storeErr) => ({ type: "STORE", storeErr }) as const),
    fc.oneof(
      fc.constantFrom("NO_RESOLVER", "NOT_FOUND").map((type) => ({ type }) as const),
      freeText.map((resolverErr) => ({ type: "RESOLVER", resolverErr }) as const),
    ).map((nameErr) => ({ type: "NAME", nameErr }) as const),
    tie("proxyErr").map((proxyErr) => ({ type: "PROXY", proxyErr }) as const),
  ),
  proxyErr: fc.oneof(
    fc.constantFrom("BASIC_AUTH", "NO_SESSION").map((type) => ({ type }) as const),
    brokerError.map((brokerErr) => ({ type: "BROKER", brokerErr }) as const),
    tie("error").map((protocolErr) => ({ type: "PROTOCOL", protocolErr }) as const),
  ),
}));

const qSubThread = fc.constantFrom(
  ...(["noSub", "subPending", "subThread", "prohibitSub"] as const),
);
const queueInfo: fc.Arbitrary<QueueInfo> = record({
  qiSnd: fc.boolean(),
  qiNtf: fc.boolean(),
  qiSub: record({ qSubThread, qDelivered: fc.base64String() }),
  qiSize: fc.nat(),
  qiMsg: record({
    msgId: fc.base64String(),
    msgTs: fc.string(),
    msgType: fc.constantFrom("message" as const, "quota" as const),
  }),
});
const nameRecord: fc.Arbitrary<NameRecord> = record({
  name: freeText,
  nickname: freeText,
  website: freeText,
  location: freeText,
  simplexContact: fc.array(freeText, { maxLength: 3 }),
  simplexChannel: fc.array(freeText, { maxLength: 3 }),
  eth: nullable(freeText),
  btc: nullable(freeText),
  xmr: nullable(freeText),
  dot: nullable(freeText),
  owner: freeText,
  resolver: freeText,
});

/** Every answer and event. */
export const messages: Readonly<Record<Message["tag"], fc.Arbitrary<Message>>> = {
  IDS: record({
    tag: fc.constant("IDS" as const),
    rcvId: short,
    sndId: short,
    rcvPublicDhKey: dhKey,
    queueMode: nullable(queueMode),
    linkId: nullable(short),
    serviceId: nullable(short),
    serverNtfCreds: nullable(record({ notifierId: short, dhKey })),
  }),
  LNK: record({ tag: fc.constant("LNK" as const), senderId: short, linkData }),
  SOK: record({ tag: fc.constant("SOK" as const), serviceId: nullable(short) }),
  SOKS: record({ tag: fc.constant("SOKS" as const), count, idsHash }),
  ENDS: record({ tag: fc.constant("ENDS" as const), count, idsHash }),
  MSG: record({ tag: fc.constant("MSG" as const), msgId: short, encBody: tail }),
  ALLS: fc.constant({ tag: "ALLS" }),
  NID: record({ tag: fc.constant("NID" as const), notifierId: short, dhKey }),
  NMSG: record({ tag: fc.constant("NMSG" as const), nonce: bytes(24), encMeta: short }),
  PKEY: record({ tag: fc.constant("PKEY" as const), sessionId: short, versions: versionRange, certChainPubKey }),
  RRES: record({ tag: fc.constant("RRES" as const), encFwdResponse: tail }),
  PRES: record({ tag: fc.constant("PRES" as const), encResponse: tail }),
  END: fc.constant({ tag: "END" }),
  DELD: fc.constant({ tag: "DELD" }),
  INFO: record({ tag: fc.constant("INFO" as const), info: queueInfo }),
  OK: fc.constant({ tag: "OK" }),
  ERR: record({ tag: fc.constant("ERR" as const), error }),
  PONG: fc.constant({ tag: "PONG" }),
  RNAME: record({ tag: fc.constant("RNAME" as const), record: nameRecord }),
};
export const message: fc.Arbitrary<Message> = fc.oneof(...Object.values(messages));
