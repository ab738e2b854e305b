import { describe, expect, test } from "vitest";
import { concat, fromHex, hex } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import type { SecretKey } from "#crypto/keys";
import { decode, encode } from "#protocol/codec";
import type { LinkData } from "#protocol/commands/queue";
import {
  checkLinkQueue,
  createLinkData,
  FIXED_DATA_PADDED,
  openLinkData,
  sealLinkData,
  signLinkData,
  USER_DATA_PADDED,
} from "../../client/agent/wire/link-box.ts";
import { parseConnectionRequest } from "../../client/agent/wire/connection-request.ts";
import { fixedLinkData, type UserLinkData, userLinkData } from "../../client/agent/wire/link-data.ts";
import { linkKeyOf, linkSecrets } from "../../client/agent/wire/link-keys.ts";
import { authorizeOwner, checkOwners, ownerAuth } from "../../client/agent/wire/owner.ts";
import { type ContactShortLink, parseShortLink } from "../../client/agent/wire/short-link.ts";
import { agentVectors, type LinkDataJson, type SealedJson } from "../support/agent-vectors.ts";
import { keyPairFrom } from "../support/vectors.ts";

const digest = (bytes: Uint8Array): SealedJson => ({ length: bytes.length, sha256: hex(sha256(bytes)) });

function relayFrom(text: string): ContactShortLink {
  const link = parseShortLink(text);
  if (link.mode !== "contact") throw new Error("the vector's relay is not a contact link");
  return link;
}

function partsOf(entry: LinkDataJson) {
  const [min, max] = entry.agentVersions;
  const agentVersions = { min, max };
  const rootKeys = keyPairFrom("Ed25519", entry.rootKey);
  const fixed = {
    agentVersions,
    request: parseConnectionRequest(entry.connReq),
    linkEntityId: entry.linkEntityId === null ? null : fromHex(entry.linkEntityId),
  };
  const data = fromHex(entry.userData);
  const owners = (entry.owners ?? []).map(({ encoded }) => decode(ownerAuth, fromHex(encoded)));
  const relays = (entry.relays ?? []).map(relayFrom);
  const user: UserLinkData = entry.mode === "invitation"
    ? { type: "invitation", agentVersions, data }
    : { type: "contact", agentVersions, direct: entry.direct ?? false, owners, relays, data };
  return { rootKeys, fixed, user };
}

function signerOf(entry: LinkDataJson): SecretKey<"Ed25519"> {
  const second = entry.owners?.[1];
  if (entry.userDataSigner === "root") return keyPairFrom("Ed25519", entry.rootKey).secretKey;
  if (!second) throw new Error("the vector has no second owner");
  return keyPairFrom("Ed25519", second.key).secretKey;
}

/** The encrypted parts, as the vectors' nonces make them. */
function sealedFrom({ secretBoxKey, sealedFixedData, sealedUserData, ...entry }: LinkDataJson): LinkData {
  const boxKey = fromHex(secretBoxKey);
  return {
    fixedData: sealLinkData(boxKey, fromHex(entry.signedFixedData), FIXED_DATA_PADDED, fromHex(sealedFixedData.nonce)),
    userData: sealLinkData(boxKey, fromHex(entry.signedUserData), USER_DATA_PADDED, fromHex(sealedUserData.nonce)),
  };
}

describe.each(agentVectors.linkData)("data of a short $mode link, signed by $userDataSigner", (entry) => {
  const { rootKeys, fixed, user } = partsOf(entry);
  const linkKey = fromHex(entry.linkKey);
  const { linkId, boxKey } = linkSecrets(entry.mode, linkKey);

  test("we sign and seal the same bytes", () => {
    const fixedBytes = encode(fixedLinkData, { ...fixed, rootKey: rootKeys.publicKey });
    expect(hex(linkKeyOf(fixedBytes))).toBe(entry.linkKey);
    expect(hex(boxKey)).toBe(entry.secretBoxKey);
    expect(linkId && hex(linkId)).toBe(entry.linkId);
    expect(hex(signLinkData(rootKeys.secretKey, fixedBytes))).toBe(entry.signedFixedData);
    expect(hex(signLinkData(signerOf(entry), encode(userLinkData, user)))).toBe(entry.signedUserData);
    const data = sealedFrom(entry);
    expect({ ...digest(data.fixedData), nonce: entry.sealedFixedData.nonce }).toStrictEqual(entry.sealedFixedData);
    expect({ ...digest(data.userData), nonce: entry.sealedUserData.nonce }).toStrictEqual(entry.sealedUserData);
  });

  test("what the official code made opens", () => {
    const opened = openLinkData(entry.mode, linkKey, sealedFrom(entry));
    expect(opened).toStrictEqual({ fixed: { ...fixed, rootKey: rootKeys.publicKey }, user });
    const { server, senderId } = fixed.request.queues[0];
    expect(() => checkLinkQueue(opened.fixed, server, senderId)).not.toThrow();
  });

  test("a link made anew has the same key, id and content", () => {
    const created = createLinkData({ rootKeys, fixed, user });
    expect(hex(created.linkKey)).toBe(entry.linkKey);
    expect(created.linkId && hex(created.linkId)).toBe(entry.linkId);
    expect([created.data.fixedData.length, created.data.userData.length]).toStrictEqual([2048, 13_824]);
    expect(openLinkData(entry.mode, created.linkKey, created.data).user).toStrictEqual(user);
  });

  test("fixed data that the key does not name is refused", () => {
    const other = encode(fixedLinkData, { ...fixed, rootKey: rootKeys.publicKey, linkEntityId: Uint8Array.of(1) });
    const fixedData = sealLinkData(boxKey, signLinkData(rootKeys.secretKey, other), FIXED_DATA_PADDED);
    expect(() => openLinkData(entry.mode, linkKey, { ...sealedFrom(entry), fixedData })).toThrow(expect.objectContaining({ failure: "HASH" }));
  });

  test("what follows the known fields is ignored", () => {
    const more = Uint8Array.of(0xff, 0xff, 1, 2, 3);
    const bytes = concat(encode(userLinkData, user), more);
    expect(decode(userLinkData, bytes)).toStrictEqual(user);
    const fixedBytes = encode(fixedLinkData, { ...fixed, rootKey: rootKeys.publicKey });
    expect(decode(fixedLinkData, concat(fixedBytes, more))).toStrictEqual({ ...fixed, rootKey: rootKeys.publicKey });
  });
});

const withWrongSignature = agentVectors.linkData.filter((entry) => entry.wrongUserData !== undefined);

test.each(withWrongSignature)("a wrong signature in place of one by $userDataSigner is refused", (entry) => {
  const { signed = "", nonce = "", length, sha256: expected, error } = entry.wrongUserData ?? {};
  const userData = sealLinkData(fromHex(entry.secretBoxKey), fromHex(signed), USER_DATA_PADDED, fromHex(nonce));
  expect(digest(userData)).toStrictEqual({ length, sha256: expected });
  expect(error).toContain("user data signature");
  expect(() => openLinkData(entry.mode, fromHex(entry.linkKey), { ...sealedFrom(entry), userData })).toThrow(
    expect.objectContaining({ failure: "SIGNATURE" }),
  );
});

const withOwners = agentVectors.linkData.filter(({ owners }) => owners?.length);

test.each(withOwners)("we authorize $owners.length owners as the vectors do", (entry) => {
  const rootKeys = keyPairFrom("Ed25519", entry.rootKey);
  const owners = entry.owners ?? [];
  const signers = [rootKeys.secretKey];
  for (const { encoded, key, ownerId } of owners) {
    const pair = keyPairFrom("Ed25519", key);
    const made = signers.map((signer) => authorizeOwner(fromHex(ownerId), pair.publicKey, signer));
    expect(made.map((owner) => hex(encode(ownerAuth, owner)))).toContain(encoded);
    signers.push(pair.secretKey);
  }
  const decoded = owners.map(({ encoded }) => decode(ownerAuth, fromHex(encoded)));
  expect(() => checkOwners(rootKeys.publicKey, decoded)).not.toThrow();
});
