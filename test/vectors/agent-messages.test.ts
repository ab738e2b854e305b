import { describe, expect, test } from "vitest";
import { EMPTY, fromHex, hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { decodePublicKey, dh, encodePublicKey } from "#crypto/keys";
import { formatQueueUri, formatServerAddress } from "#protocol/address";
import { decode, encode } from "#protocol/codec";
import { type SndQAddr, smpQueueInfo } from "#protocol/queue-address";
import { type ChainEnd, verdictOf } from "../../client/agent/integrity.ts";
import { type AgentEnvelope, agentEnvelope } from "../../client/agent/wire/agent-envelope.ts";
import { type AgentMessage, agentMessage, type AMessage, messageHash } from "../../client/agent/wire/agent-message.ts";
import {
  clientMessage,
  openClientMessage,
  readClientMsgEnvelope,
  sealClientMessage,
} from "../../client/agent/wire/client-message.ts";
import { connInfoPaddedLength, messagePaddedLength } from "../../client/agent/wire/padded-lengths.ts";
import { e2eParams } from "../../client/ratchet/parameters.ts";
import {
  type AddressJson,
  type AgentMessageJson,
  agentVectors,
  type AMessageJson,
  type EnvelopeJson,
} from "../support/agent-vectors.ts";
import { x25519From } from "../support/vectors.ts";

// Decoded values are put into the words of the vectors, so that both directions are compared with what is written there.

const addressJson = ({ server, senderId }: SndQAddr): AddressJson => ({
  server: formatServerAddress(server),
  senderId: hex(senderId),
});

function messageJson(message: AMessage): AMessageJson {
  switch (message.type) {
    case "HELLO":
    case "EREADY":
      return message;
    case "A_MSG":
      return { type: "A_MSG", body: hex(message.body) };
    case "A_RCVD": {
      const receipts = message.receipts.map(({ sndMsgId, msgHash, info }) => ({
        msgId: sndMsgId,
        msgHash: hex(msgHash),
        info: hex(info),
      }));
      return { type: "A_RCVD", receipts };
    }
    case "A_QCONT":
      return { type: "A_QCONT", address: addressJson(message.address) };
    case "QADD": {
      const queues = message.queues.map(({ uri, replaces }) => ({
        uri: formatQueueUri(uri),
        replaces: replaces && addressJson(replaces),
      }));
      return { type: "QADD", queues };
    }
    case "QKEY": {
      const queues = message.queues.map(({ info, senderKey }) => ({
        queueInfo: hex(encode(smpQueueInfo, info)),
        key: hex(encodePublicKey(senderKey)),
      }));
      return { type: "QKEY", queues };
    }
    case "QUSE": {
      const queues = message.queues.map(({ address, primary }) => ({ address: addressJson(address), primary }));
      return { type: "QUSE", queues };
    }
    case "QTEST":
      return { type: "QTEST", queues: message.queues.map(addressJson) };
  }
}

function agentMessageJson(value: AgentMessage): AgentMessageJson {
  switch (value.type) {
    case "connInfo":
      return { type: "connInfo", connInfo: hex(value.connInfo) };
    case "connInfoReply": {
      const queues = value.queues.map((info) => hex(encode(smpQueueInfo, info)));
      return { type: "connInfoReply", queues, connInfo: hex(value.connInfo) };
    }
    case "ratchetInfo":
      return { type: "ratchetInfo", info: hex(value.info) };
    case "message": {
      const { sndMsgId, prevMsgHash, message } = value;
      return { type: "message", sndMsgId, prevMsgHash: hex(prevMsgHash), message: messageJson(message) };
    }
  }
}

function envelopeJson(value: AgentEnvelope): EnvelopeJson {
  const { agentVersion } = value;
  switch (value.type) {
    case "confirmation": {
      const parameters = value.e2eParams && hex(encode(e2eParams, value.e2eParams));
      return { type: "confirmation", agentVersion, e2eParams: parameters, encConnInfo: hex(value.encConnInfo) };
    }
    case "message":
      return { type: "message", agentVersion, encAgentMessage: hex(value.encAgentMessage) };
    case "invitation":
      return { type: "invitation", agentVersion, connReq: value.connReq, connInfo: hex(value.connInfo) };
    case "ratchetKey": {
      const parameters = hex(encode(e2eParams, value.e2eParams));
      return { type: "ratchetKey", agentVersion, e2eParams: parameters, info: hex(value.info) };
    }
  }
}

describe("agent envelopes", () => {
  test.each(agentVectors.envelopes)("$value.type of agent version $value.agentVersion", (entry) => {
    const decoded = decode(agentEnvelope, fromHex(entry.hex));
    expect(envelopeJson(decoded)).toStrictEqual(entry.value);
    expect(hex(encode(agentEnvelope, decoded))).toBe(entry.hex);
  });
});

describe("agent messages", () => {
  test.each(agentVectors.messages)("$value.type $value.message.type", (entry) => {
    const decoded = decode(agentMessage, fromHex(entry.hex));
    expect(agentMessageJson(decoded)).toStrictEqual(entry.value);
    expect(hex(encode(agentMessage, decoded))).toBe(entry.hex);
  });

  test("the vectors have every message", () => {
    const types = agentVectors.messages.map(({ value }) => (value.type === "message" ? value.message.type : value.type));
    expect([...new Set(types)].toSorted()).toStrictEqual(
      "A_MSG A_QCONT A_RCVD EREADY HELLO QADD QKEY QTEST QUSE connInfo connInfoReply ratchetInfo".split(" "),
    );
  });
});

describe("the hash chain", () => {
  test("every message has the hash of the one before, and the recipient finds nothing wrong", () => {
    let last: ChainEnd = { number: 0, hash: EMPTY };
    for (const entry of agentVectors.hashChain) {
      const body = fromHex(entry.body);
      const header = { type: "message", sndMsgId: entry.sndMsgId, prevMsgHash: last.hash } as const;
      const message = { ...header, message: { type: "A_MSG", body } } as const;
      const bytes = encode(agentMessage, message);
      expect(hex(bytes)).toBe(entry.agentMessage);
      expect(hex(messageHash(bytes))).toBe(entry.msgHash);
      expect(verdictOf(last, message)).toStrictEqual({ type: "ok" });
      last = { number: entry.sndMsgId, hash: messageHash(bytes) };
    }
  });

  test("the example of the specification begins with the confirmation", () => {
    const confirmation = messageHash(encode(agentMessage, { type: "connInfo", connInfo: utf8("{}") }));
    expect(hex(confirmation)).toBe("04b63532a2f7b53ecddad2c8f034539cdb7eb371a1bb7e1cf61a01300d0dcc4e");
    const hello = { type: "message", sndMsgId: 2, prevMsgHash: confirmation, message: { type: "HELLO" } } as const;
    expect(hex(messageHash(encode(agentMessage, hello)))).toBe("74f9851623214bc3d33db95df786a150dd3794a4551b22d8261d73a17c0dffde");
  });
});

test("padded lengths of every agent version", () => {
  const own = agentVectors.paddedLengths.map(({ agentVersion, pq }) => ({
    agentVersion,
    pq,
    connInfo: connInfoPaddedLength(agentVersion, pq),
    message: messagePaddedLength(agentVersion, pq),
  }));
  expect(own).toStrictEqual(agentVectors.paddedLengths);
});

describe("per-queue envelopes", () => {
  const name = "client version $clientVersion, header $privHeader, key $senderKeyInHeader";
  test.each(agentVectors.clientMessages)(name, (entry) => {
    const recipient = x25519From(entry.recipientQueueKey);
    const sender = x25519From(entry.senderKey);
    const { privHeaderKey } = entry;
    const message = {
      senderKey: privHeaderKey === null ? null : decodePublicKey(fromHex(privHeaderKey), "Ed25519", "Ed448", "X25519"),
      envelope: fromHex(entry.agentEnvelope),
    };
    expect(hex(encode(clientMessage, message))).toBe(entry.clientMessage);
    const sealed = sealClientMessage({
      clientVersion: entry.clientVersion,
      secret: dh(sender.secretKey, recipient.publicKey),
      e2eKey: entry.senderKeyInHeader ? sender.publicKey : null,
      message,
      nonce: fromHex(entry.nonce),
    });
    expect({ length: sealed.length, sha256: hex(sha256(sealed)) }).toStrictEqual(entry.sealed);
    expect(entry.paddedLength).toBe(entry.senderKeyInHeader ? 15_904 : 16_000);
    expect(sealed.length).toBe(entry.senderKeyInHeader ? 15_992 : 16_043);

    const envelope = readClientMsgEnvelope(sealed);
    expect(envelope).toMatchObject({
      clientVersion: entry.clientVersion,
      e2eKey: entry.senderKeyInHeader ? sender.publicKey : null,
      nonce: fromHex(entry.nonce),
    });
    expect(openClientMessage(envelope, dh(recipient.secretKey, sender.publicKey))).toStrictEqual(message);
  });
});
