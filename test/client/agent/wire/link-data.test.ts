import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, EMPTY, utf8 } from "#crypto/bytes";
import { generateKeyPair, type KeyPair } from "#crypto/keys";
import { decode, encode, tail } from "#protocol/codec";
import { parseServerAddress } from "#protocol/address";
import type { LinkData } from "#protocol/commands/queue";
import { AGENT_VERSIONS } from "../../../../client/agent/versions.ts";
import type { ConnectionRequest } from "../../../../client/agent/wire/connection-request.ts";
import {
  checkLinkQueue,
  createLinkData,
  FIXED_DATA_PADDED,
  openLinkData,
  sealLinkData,
  sealUserData,
  signLinkData,
  USER_DATA_PADDED,
} from "../../../../client/agent/wire/link-box.ts";
import {
  type ContactUserData,
  type FixedLinkData,
  fixedLinkData,
  type UserLinkData,
  userLinkData,
} from "../../../../client/agent/wire/link-data.ts";
import { LinkError } from "../../../../client/agent/wire/link-error.ts";
import { linkKeyOf, linkSecrets } from "../../../../client/agent/wire/link-keys.ts";
import { authorizeOwner, checkOwners, type OwnerAuth } from "../../../../client/agent/wire/owner.ts";
import { shortLink } from "../../../../client/agent/wire/short-link.ts";
import { E2E_VERSIONS } from "../../../../client/ratchet/parameters.ts";
import { mutated, mutations } from "../../../support/mutate.ts";
import { fixedLinkData as someFixed, userLinkData as someUser } from "../../../support/agent-arbitrary.ts";

const rootKeys = generateKeyPair("Ed25519");
const { password: _, ...server } = parseServerAddress(`smp://${"A".repeat(43)}=@a.example,b.example`);
const senderId = utf8("sender");
const queue = {
  clientVersions: { min: 4, max: 4 },
  server,
  senderId,
  dhKey: generateKeyPair("X25519").publicKey,
  mode: "contact",
} as const;
const request: ConnectionRequest = { type: "contact", agentVersions: AGENT_VERSIONS, queues: [queue], clientData: null };
const fixed = { agentVersions: AGENT_VERSIONS, request, linkEntityId: null };
const user: ContactUserData = {
  type: "contact",
  agentVersions: AGENT_VERSIONS,
  direct: true,
  owners: [],
  relays: [],
  data: utf8("{}"),
};

/** The data of a contact link, as somebody makes it who knows the link's key and signs with `by`. */
function forged(
  linkKey: Uint8Array,
  parts: { readonly fixed?: Uint8Array; readonly user?: Uint8Array },
  { root = rootKeys, by = rootKeys }: { readonly root?: KeyPair<"Ed25519">; readonly by?: KeyPair<"Ed25519"> } = {},
): LinkData {
  const { boxKey } = linkSecrets("contact", linkKey);
  const fixedBytes = parts.fixed ?? encode(fixedLinkData, { ...fixed, rootKey: rootKeys.publicKey });
  const userBytes = parts.user ?? encode(userLinkData, user);
  return {
    fixedData: sealLinkData(boxKey, signLinkData(root.secretKey, fixedBytes), FIXED_DATA_PADDED),
    userData: sealLinkData(boxKey, signLinkData(by.secretKey, userBytes), USER_DATA_PADDED),
  };
}

const failing = (failure: string) => expect.objectContaining({ name: "LinkError", code: "LINK", failure });

describe("opening the data of a short link", () => {
  const { linkKey, data } = createLinkData({ rootKeys, fixed, user });
  const stranger = generateKeyPair("Ed25519");

  test("what the owner made", () => {
    expect(openLinkData("contact", linkKey, data)).toStrictEqual({ fixed: { ...fixed, rootKey: rootKeys.publicKey }, user });
  });

  test("the owner changes the user data", () => {
    const changed = { ...user, data: utf8("new") };
    const userData = sealUserData(linkKey, changed, rootKeys.secretKey);
    expect(openLinkData("contact", linkKey, { ...data, userData }).user).toStrictEqual(changed);
  });

  test("another link's key does not open it", () => {
    expect(() => openLinkData("contact", new Uint8Array(32), data)).toThrow(failing("DECRYPT"));
    expect(() => openLinkData("invitation", linkKey, data)).toThrow(failing("DECRYPT"));
  });

  test.each(["fixedData", "userData"] as const)("%s that the server changed, cut or lost", (part) => {
    const whole = data[part];
    const flipped = whole.map((byte, i) => (i === 1000 ? byte ^ 1 : byte));
    for (const other of [flipped, whole.subarray(0, 100), whole.subarray(0, 30)]) {
      expect(() => openLinkData("contact", linkKey, { ...data, [part]: other })).toThrow(failing("DECRYPT"));
    }
    expect(() => openLinkData("contact", linkKey, { ...data, [part]: EMPTY })).toThrow(failing("SYNTAX"));
  });

  test("the parts in each other's place", () => {
    const swapped = { fixedData: data.userData, userData: data.fixedData };
    expect(() => openLinkData("contact", linkKey, swapped)).toThrow(failing("SYNTAX"));
  });

  test("parts that cannot be read", () => {
    expect(() => openLinkData("contact", linkKey, forged(linkKey, { fixed: utf8("x") }))).toThrow(failing("SYNTAX"));
    expect(() => openLinkData("contact", linkKey, forged(linkKey, { user: utf8("x") }))).toThrow(failing("SYNTAX"));
  });

  test("user data of an invitation behind a contact link", () => {
    const other = encode(userLinkData, { type: "invitation", agentVersions: AGENT_VERSIONS, data: EMPTY });
    expect(() => openLinkData("contact", linkKey, forged(linkKey, { user: other }))).toThrow(failing("SYNTAX"));
  });

  test("somebody who knows the link cannot replace the fixed data, with own keys or without", () => {
    const other = encode(fixedLinkData, { ...fixed, rootKey: stranger.publicKey });
    const taken = forged(linkKey, { fixed: other }, { root: stranger, by: stranger });
    expect(() => openLinkData("contact", linkKey, taken)).toThrow(failing("HASH"));
    const unsigned = forged(linkKey, {}, { root: stranger });
    expect(() => openLinkData("contact", linkKey, unsigned)).toThrow(failing("SIGNATURE"));
  });

  test("somebody who knows the link cannot replace the user data, even as an owner of own making", () => {
    expect(() => openLinkData("contact", linkKey, forged(linkKey, {}, { by: stranger }))).toThrow(failing("SIGNATURE"));
    const self = authorizeOwner(utf8("me"), stranger.publicKey, stranger.secretKey);
    const userBytes = encode(userLinkData, { ...user, owners: [self] });
    const owned = forged(linkKey, { user: userBytes }, { by: stranger });
    expect(() => openLinkData("contact", linkKey, owned)).toThrow(failing("OWNER"));
  });

  test("data made with another root key has another link key", () => {
    const bytes = encode(fixedLinkData, { ...fixed, rootKey: stranger.publicKey });
    expect(linkKeyOf(bytes)).not.toStrictEqual(linkKey);
  });

  test("user data that does not fit", () => {
    const long = { ...user, data: new Uint8Array(USER_DATA_PADDED) };
    expect(() => createLinkData({ rootKeys, fixed, user: long })).toThrow(failing("LARGE"));
    const overhead = encode(userLinkData, { ...user, data: new Uint8Array(1000) }).length - 1000 + 65 + 2;
    const longest = { ...user, data: new Uint8Array(USER_DATA_PADDED - overhead) };
    expect(createLinkData({ rootKeys, fixed, user: longest }).data.userData.length).toBe(13_824);
    const oneMore = { ...user, data: new Uint8Array(USER_DATA_PADDED - overhead + 1) };
    expect(() => createLinkData({ rootKeys, fixed, user: oneMore })).toThrow(/1 bytes too long/);
  });

  test("both parts must be for the same kind of link", () => {
    const invitation: UserLinkData = { type: "invitation", agentVersions: AGENT_VERSIONS, data: EMPTY };
    expect(() => createLinkData({ rootKeys, fixed, user: invitation })).toThrow(failing("SYNTAX"));
  });

  test("a relay that is an invitation cannot be read", () => {
    const at = { type: "short", server, linkKey: new Uint8Array(32) } as const;
    const relay = { ...at, mode: "contact", kind: "relay" } as const;
    const bytes = encode(userLinkData, { ...user, relays: [relay] });
    expect(decode(userLinkData, bytes)).toStrictEqual({ ...user, relays: [relay] });
    const invitation = encode(shortLink, { ...at, mode: "invitation", linkId: new Uint8Array(24) });
    const before = encode(userLinkData, user).length - encode(tail, user.data).length - 1;
    const other = concat(bytes.subarray(0, before), invitation, Uint8Array.of(0));
    expect(() => decode(userLinkData, other)).toThrow("a relay must be a contact link");
  });

  test("the queue must be where the link is", () => {
    const opened = { ...fixed, rootKey: rootKeys.publicKey };
    const at = (...hosts: string[]) => ({ hosts, port: "", keyHash: server.keyHash });
    expect(() => checkLinkQueue(opened, at("a.example"), senderId)).not.toThrow();
    expect(() => checkLinkQueue(opened, at("b.example", "c.example"), senderId)).not.toThrow();
    expect(() => checkLinkQueue(opened, at("c.example", "a.example"), senderId)).toThrow(failing("ADDRESS"));
    expect(() => checkLinkQueue(opened, at("a.example"), utf8("other"))).toThrow(failing("ADDRESS"));
  });

  test("whatever is behind a link is refused with a LinkError or opens", () => {
    // Somebody who has the link's secret can make this; with the root key even the signatures hold.
    fc.assert(
      fc.property(someFixed, someUser, mutations, fc.boolean(), (anyFixed, anyUser, list, damageFixed) => {
        const rooted: FixedLinkData = { ...anyFixed, rootKey: rootKeys.publicKey };
        const fixedBytes = damageFixed ? mutated(encode(fixedLinkData, rooted), list) : encode(fixedLinkData, rooted);
        const userBytes = damageFixed ? encode(userLinkData, anyUser) : mutated(encode(userLinkData, anyUser), list);
        const key = linkKeyOf(fixedBytes);
        let parts: LinkData;
        try {
          parts = forged(key, { fixed: fixedBytes, user: userBytes });
        } catch (error) {
          // More than a link holds.
          expect(error).toStrictEqual(failing("LARGE"));
          return;
        }
        try {
          openLinkData("contact", key, parts);
        } catch (error) {
          if (!(error instanceof LinkError)) throw new Error("another error than a LinkError", { cause: error });
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("owners of a contact link", () => {
  const first = generateKeyPair("Ed25519");
  const second = generateKeyPair("Ed25519");
  const alice = authorizeOwner(utf8("alice"), first.publicKey, rootKeys.secretKey);
  const bob = authorizeOwner(utf8("bob"), second.publicKey, first.secretKey);
  const check = (...owners: OwnerAuth[]) => () => checkOwners(rootKeys.publicKey, owners);

  test("each owner may authorize those after it, and sign the user data", () => {
    expect(check(alice, bob)).not.toThrow();
    const { linkKey, data } = createLinkData({ rootKeys, fixed, user });
    const owned = { ...user, owners: [alice, bob] };
    const userData = sealUserData(linkKey, owned, second.secretKey);
    expect(openLinkData("contact", linkKey, { ...data, userData }).user).toStrictEqual(owned);
    const without = sealUserData(linkKey, { ...user, owners: [alice] }, second.secretKey);
    expect(() => openLinkData("contact", linkKey, { ...data, userData: without })).toThrow(failing("SIGNATURE"));
  });

  test("an owner before the one that authorized it", () => {
    expect(check(bob, alice)).toThrow(failing("OWNER"));
    expect(check(bob)).toThrow(failing("OWNER"));
  });

  test("an owner with the link's own key", () => {
    expect(check(authorizeOwner(utf8("root"), rootKeys.publicKey, rootKeys.secretKey))).toThrow(failing("OWNER"));
  });

  test("an id or a key twice", () => {
    expect(check(alice, authorizeOwner(utf8("alice"), second.publicKey, rootKeys.secretKey))).toThrow(failing("OWNER"));
    expect(check(alice, authorizeOwner(utf8("other"), first.publicKey, rootKeys.secretKey))).toThrow(failing("OWNER"));
  });

  test("an authorization for another id", () => {
    expect(check({ ...alice, ownerId: utf8("carol") })).toThrow(failing("OWNER"));
  });

  test("an invitation has none: only the root key signs", () => {
    const key = generateKeyPair("X448").publicKey;
    const e2e = { versions: E2E_VERSIONS, key1: key, key2: key, kem: null };
    const invitation: UserLinkData = { type: "invitation", agentVersions: AGENT_VERSIONS, data: utf8("x") };
    const invited = { ...fixed, request: { ...request, type: "invitation", e2e } } as const;
    const { linkKey, linkId, data } = createLinkData({ rootKeys, fixed: invited, user: invitation });
    expect(linkId).toBeNull();
    expect(openLinkData("invitation", linkKey, data).user).toStrictEqual(invitation);
    const userData = sealUserData(linkKey, invitation, first.secretKey);
    expect(() => openLinkData("invitation", linkKey, { ...data, userData })).toThrow(failing("SIGNATURE"));
  });
});
