import { describe, expect, test } from "vitest";
import { fromHex, hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { type KeyPair, keyPairOf } from "#crypto/keys";
import { agreeAsInitiator, agreeAsJoiner, e2eParamsOf } from "../../client/ratchet/agree.ts";
import { decrypt } from "../../client/ratchet/decrypt.ts";
import { encryptBody, encryptHeader } from "../../client/ratchet/encrypt.ts";
import { openHeader, readMessage } from "../../client/ratchet/header.ts";
import { freshKeys } from "../../client/ratchet/keys.ts";
import { initInitiator, initJoiner, type RatchetState } from "../../client/ratchet/state.ts";

/** 56 consecutive bytes. */
function keysFrom(first: number): KeyPair<"X448"> {
  return keyPairOf({ algorithm: "X448", secret: Uint8Array.from({ length: 56 }, (_, i) => first + i) });
}

const [rk1, rk2, sk1, sk2] = [keysFrom(0x01), keysFrom(0x41), keysFrom(0x81), keysFrom(0xc1)] as const;
const [d0, d1] = [keysFrom(0x21), keysFrom(0x61)];
const initiatorKeys = { key1: rk1, key2: rk2, kem: null };
const joinerKeys = { key1: sk1, key2: sk2, kem: null };
const none = new Uint8Array();
const giving = (keys: KeyPair<"X448">): typeof freshKeys => ({ ...freshKeys, dhKeys: () => keys });

function joinerOf(version: number): RatchetState {
  const options = { source: giving(d0), maxVersion: version };
  return initJoiner(joinerKeys, e2eParamsOf(initiatorKeys, version), options);
}

function firstMessage(version: number): { readonly message: Uint8Array; readonly after: RatchetState } {
  const { state, key } = encryptHeader(joinerOf(version), { maxVersion: version });
  return { message: encryptBody(key, utf8("hello"), 256), after: state };
}

// Computed by hand from the primitives, without a KEM.
describe("the worked example of the ratchet specification (section 11)", () => {
  test("public keys", () => {
    expect([rk1, rk2, sk1, sk2].map(({ publicKey }) => hex(publicKey.raw))).toStrictEqual([
      "bda7365ba1bd9a66f2ef38db6ec5ac5fad5452e990d8b2f88f721fd53363237e775f65205d1d4667d473f0e1f4c57694d2d802e8dff06026",
      "ba3ff46a84ab42ed08cde0808595fa77a8659a758002a1e119e936ceaa820033b424ef8ec554ac9dd9eb9c06cde691b835f25a78fedd9ae2",
      "bc5c370b2d1c2b0dc4e4d56d559fffc6f65d41e07c455b70d35a50c5368c86864d921533dfed33b0d1bc674b57380860fb71892fa049f560",
      "aba5de139d47f00f8d4e4906ded588a66e8ce4839ac0b7d513ec6dac3988595b10e069ce9e699b471b4d1bb00c41fd79bf2e790adf4887bc",
    ]);
  });

  test("X3DH gives both sides the same", () => {
    const joiner = agreeAsJoiner(joinerKeys, e2eParamsOf(initiatorKeys, 3));
    expect(agreeAsInitiator(initiatorKeys, e2eParamsOf(joinerKeys, 3))).toStrictEqual(joiner);
    expect(hex(joiner.headerKey)).toBe("b5878829f689d203556c9c69bdf3006fece79b8629412b055049ade0eb3c73be");
    expect(hex(joiner.nextHeaderKey)).toBe("22e49ea6f19d15bc931f2223fb2691f3c383c2df25da05831b7df2e316e4eb4e");
    expect(hex(joiner.rootKey)).toBe("16769b073c7efd61c231703786f89dd4564e93bca5b702afa686b78f9dc5da4d");
  });

  test("the joining party's ratchet", () => {
    const state = joinerOf(3);
    expect(hex(state.dh.publicKey)).toBe(
      "742bc11193f13003725b446a181eb36b4dbc59c201788e3c6d3094e078db0e5366c91dd8a48d45ff24127e71aa7c51b2f3f617f9923afe4c",
    );
    expect(hex(state.rootKey)).toBe("336ac06383f85c3c30412ad7e02edbc1c03f7df2d79bf73db68e35d5581a883d");
    expect(hex(state.snd?.chainKey ?? none)).toBe("484191a3b6d0fc790ddc65d8bc2796617b88e0c0237e8197b3e4201f0c6a7ded");
    expect(hex(state.nextSndHeaderKey)).toBe("0d58aa3667b9b428520bb3c3653e5a40007df6218a79e83ea330f8d1c5b21712");
  });

  test("its first message", () => {
    const { state, key } = encryptHeader(joinerOf(3));
    expect(hex(state.snd?.chainKey ?? none)).toBe("81cb96ead933bb6f9be71e9cfa287493ff904da2e44b61e4a6bce6ff9b114c86");
    expect(hex(key.key)).toBe("3f04e07dd190c49d401ccc46692e77567d7ce9c93a0fb5cee7ea2a74aa2bb796");
    expect(hex(key.iv)).toBe("86b1969e7fdc85b01f53f3e1f5dc043f");
    expect(hex(key.header)).toBe(
      "0003878d15e886598933d1b66bf2fa7c1b6154a5d07e3d60c630773f33775bb7f46d0058a8b8250f96ebd8c4"
        + "84f009331276fe91900c68829c6434165928fb53c9f4cf3b258fb380225e7d4c115b8fc9e485bdf64a2a5e6ca55ee95407b4ac73ce8139c26"
        + "ff34420a383ca721b712d6dc74879ad7b2f0c6ff4648977",
    );
    const { message } = firstMessage(3);
    expect(message).toHaveLength(398);
    expect(hex(message.slice(126, 142))).toBe("bf56e9c91fb22bf9623264e49a107ad6");
    expect(hex(message.slice(142, 158))).toBe("0a6469dd8cd5e1e3824384403b47f94f");
    expect(hex(sha256(message))).toBe("5e06f10f839d6a748887aae31ba3728e6308133628f948bc613ff10bae3d0926");
    const encrypted = readMessage(message).encryptedHeader;
    const opened = openHeader(state.snd?.headerKey ?? none, encrypted, state.associatedData);
    expect(opened).toStrictEqual({ maxVersion: 3, dhKey: d0.publicKey, kem: null, pn: 0, ns: 0 });
  });

  test("the same in version 2", () => {
    const { message } = firstMessage(2);
    expect(message).toHaveLength(396);
    expect(hex(sha256(message))).toBe("65cf6bf216ff8f0bce6a9b3d700954128865640913de3af1e5c6f8b06b7c4d81");
  });

  test("the initiating party's step on it", () => {
    const before = initInitiator(initiatorKeys, e2eParamsOf(joinerKeys, 3), false);
    const { state, result } = decrypt(before, [], firstMessage(3).message, giving(d1));
    expect(result).toStrictEqual({ ok: true, plaintext: utf8("hello") });
    expect(hex(state.rootKey)).toBe("e94d9a6d14041f1fbaf9f56303b31cb60820ae5091cb3ec182dcf6422294097f");
    expect(state.snd).toStrictEqual({
      peerKey: d0.publicKey.raw,
      chainKey: fromHex("c33cda1981bb1ba342468bc59868e829aafdab925b8b87f902a65a7557c36677"),
      headerKey: fromHex("22e49ea6f19d15bc931f2223fb2691f3c383c2df25da05831b7df2e316e4eb4e"),
    });
    expect(hex(state.nextSndHeaderKey)).toBe("52d460d7f396e94b34ae60cd2f780f082113ba33068037b8586f8cf426c6a3cb");
  });
});
