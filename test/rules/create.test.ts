import { describe, expect, it } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { describeError } from "#protocol/errors";
import { checkNew, chosenSenderId, prepareQueue, requestedLink, requestedSenderId } from "../../src/relay/create.ts";
import type { QueueLink } from "../../src/relay/ports.ts";
import { authorized, caller, otherKey } from "../support/queue-bench.ts";

const link = (): QueueLink => ({
  linkId: randomBytes(24),
  data: { fixedData: randomBytes(100), userData: randomBytes(200) },
});

describe("NEW", () => {
  const keys = generateKeyPair("Ed25519");
  const open = { allowNewQueues: true, password: null };
  const command = (change = {}): Parameters<typeof checkNew>[0] => ({
    tag: "NEW",
    rcvAuthKey: keys.publicKey,
    rcvDhKey: generateKeyPair("X25519").publicKey,
    basicAuth: null,
    subscribe: true,
    queueReqData: { mode: "messaging", data: null },
    ntfCreds: null,
    ...change,
  });
  const auth = (of: Parameters<typeof checkNew>[0], key = keys.secretKey, corrId = randomBytes(24)): ReturnType<typeof authorized> =>
    authorized(of, new Uint8Array(0), key, corrId);
  const verdict = (of: Parameters<typeof checkNew>[0], policy: Parameters<typeof checkNew>[3] = open): string => {
    const error = checkNew(of, caller("c"), auth(of), policy);
    return error ? describeError(error) : "fine";
  };

  it("must be signed with the key that it brings", () => {
    expect(verdict(command())).toBe("fine");
    const other = command();
    expect(checkNew(other, caller("c"), auth(other, otherKey()), open)).toEqual({ type: "AUTH" });
  });

  it("needs the password where there is one, and ignores it where there is none", () => {
    const closed = { allowNewQueues: true, password: "sesame" };
    expect(verdict(command(), closed)).toBe("AUTH");
    expect(verdict(command({ basicAuth: "wrong" }), closed)).toBe("AUTH");
    expect(verdict(command({ basicAuth: "sesame" }), closed)).toBe("fine");
    expect(verdict(command({ basicAuth: "anything" }))).toBe("fine");
    expect(verdict(command(), { allowNewQueues: false, password: null })).toBe("AUTH");
  });

  it("lets a client choose the sender id only as the hash of its corrId", () => {
    const corrId = randomBytes(24);
    const data = { linkId: randomBytes(24), senderId: chosenSenderId(corrId), linkData: link().data };
    const chosen = command({ queueReqData: { mode: "contact", data } });
    expect(checkNew(chosen, caller("c"), auth(chosen, keys.secretKey, corrId), open)).toBeNull();
    expect(checkNew(chosen, caller("c"), auth(chosen), open)).toEqual({ type: "CMD", cmdErr: { type: "PROHIBITED" } });
    expect(requestedSenderId(chosen)).toEqual({ senderId: data.senderId, isChosen: true });
    expect(requestedLink(chosen)?.linkId).toEqual(data.linkId);
    const messaging = command({ queueReqData: { mode: "messaging", data: { senderId: data.senderId, linkData: data.linkData } } });
    expect(requestedLink(messaging)?.linkId).toHaveLength(24);
    expect(requestedLink(command())).toBeNull();
  });

  it("as a service must subscribe", () => {
    const of = command({ subscribe: false });
    expect(checkNew(of, caller("c", 19, randomBytes(24)), auth(of), open)).toMatchObject({ cmdErr: { type: "PROHIBITED" } });
  });

  it("with an unusable key is not even prepared", () => {
    const unusable = { algorithm: "X25519", raw: new Uint8Array(32) };
    expect(prepareQueue(command({ rcvDhKey: unusable }))).toBeNull();
    expect(prepareQueue(command({ ntfCreds: { authKey: keys.publicKey, dhKey: unusable } }))).toBeNull();
    expect(prepareQueue(command())).not.toBeNull();
  });
});
