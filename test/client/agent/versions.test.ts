import { describe, expect, test } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import type { VersionRange } from "#protocol/version";
import { agreeJoinVersions } from "../../../client/agent/rules/join-versions.ts";
import {
  acceptsAgentVersion,
  acceptsClientVersion,
  isPqSupported,
  raisedAgentVersion,
} from "../../../client/agent/versions.ts";
import type { InvitationRequest } from "../../../client/agent/wire/connection-request.ts";

const server = { hosts: ["relay.example"], port: "", keyHash: new Uint8Array(32) };
const dhKey = generateKeyPair("X25519").publicKey;
const key1 = generateKeyPair("X448").publicKey;

function invitation(agentVersions: VersionRange, clientVersions: VersionRange, versions: VersionRange): InvitationRequest {
  return {
    type: "invitation",
    agentVersions,
    queues: [{ clientVersions, server, senderId: new Uint8Array(24), dhKey, mode: "messaging" }],
    clientData: null,
    e2e: { versions, key1, key2: key1, kem: null },
  };
}

describe("joining a link", () => {
  test("the highest versions that both sides speak", () => {
    const range = (min: number, max: number): VersionRange => ({ min, max });
    const ours = invitation(range(2, 7), range(1, 4), range(2, 3));
    const newer = invitation(range(2, 99), range(1, 99), range(2, 99));
    const older = invitation(range(1, 2), range(1, 1), range(1, 2));
    expect(agreeJoinVersions(ours)).toStrictEqual({ agent: 7, client: 4, e2e: 3 });
    expect(agreeJoinVersions(newer)).toStrictEqual({ agent: 7, client: 4, e2e: 3 });
    expect(agreeJoinVersions(older)).toStrictEqual({ agent: 2, client: 1, e2e: 2 });
  });

  test("an address says nothing of end-to-end versions", () => {
    const { e2e: _, ...rest } = invitation({ min: 2, max: 7 }, { min: 1, max: 4 }, { min: 2, max: 3 });
    expect(agreeJoinVersions({ ...rest, type: "contact" })).toStrictEqual({ agent: 7, client: 4, e2e: null });
  });

  const agent = { min: 2, max: 7 };
  const client = { min: 1, max: 4 };
  const e2e = { min: 2, max: 3 };
  test.each([
    ["a newer agent", invitation({ min: 8, max: 9 }, client, e2e), "this program must be updated"],
    ["an older agent", invitation({ min: 1, max: 1 }, client, e2e), "the program that made the link must be updated"],
    ["a newer queue", invitation(agent, { min: 5, max: 65_535 }, e2e), "no queue version in common with the link; this"],
    ["older encryption", invitation(agent, client, { min: 1, max: 1 }), "no encryption version in common"],
  ])("a link of %s has nothing in common with us", (_, request, who) => {
    const join = () => agreeJoinVersions(request);
    expect(join).toThrow(expect.objectContaining({ code: "LINK", failure: "VERSION" }));
    expect(join).toThrow(who);
  });
});

test("a connection's version only rises, to what both sides speak", () => {
  expect([1, 2, 4, 7, 8, 65_535].map((received) => raisedAgentVersion(4, received))).toStrictEqual([4, 4, 4, 7, 7, 7]);
  expect(raisedAgentVersion(0, 1)).toBe(0);
});

test("a version beyond ours is read only when it was agreed before", () => {
  expect([1, 2, 7, 8].map((version) => acceptsAgentVersion(version, 0))).toStrictEqual([false, true, true, false]);
  expect(acceptsAgentVersion(8, 8)).toBe(true);
  expect(acceptsAgentVersion(9, 8)).toBe(false);
  expect([0, 1, 4, 5].map((version) => acceptsClientVersion(version, 4))).toStrictEqual([true, true, true, false]);
});

test("a KEM needs both versions", () => {
  expect(isPqSupported(5, 3)).toBe(true);
  expect(isPqSupported(4, 3)).toBe(false);
  expect(isPqSupported(7, 2)).toBe(false);
});
