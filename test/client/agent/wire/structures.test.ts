import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equal } from "#crypto/bytes";
import { type Codec, decode, DecodeError, encode } from "#protocol/codec";
import { queueUri, smpQueueInfo, sndQAddr } from "#protocol/queue-address";
import { aMessage } from "../../../../client/agent/wire/a-message.ts";
import { agentEnvelope } from "../../../../client/agent/wire/agent-envelope.ts";
import { agentMessage } from "../../../../client/agent/wire/agent-message.ts";
import { clientMessage, clientMsgEnvelope } from "../../../../client/agent/wire/client-message.ts";
import { connectionRequest } from "../../../../client/agent/wire/connection-request.ts";
import { fixedLinkData, userLinkData } from "../../../../client/agent/wire/link-data.ts";
import { ownerAuth } from "../../../../client/agent/wire/owner.ts";
import { shortLink } from "../../../../client/agent/wire/short-link.ts";
import * as some from "../../../support/agent-arbitrary.ts";
import { mutated, mutations } from "../../../support/mutate.ts";

interface Structure {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}

function structure<T>(name: string, codec: Codec<T>, values: fc.Arbitrary<T>): Structure {
  return { name, codec: codec as Codec<unknown>, values };
}

/** What their bytes hold whole. */
const WHOLE: readonly Structure[] = [
  structure("queueUri", queueUri, some.newQueueUri),
  structure("smpQueueInfo", smpQueueInfo, some.newQueueInfo),
  structure("sndQAddr", sndQAddr, some.sndQAddr),
  structure("connectionRequest", connectionRequest, some.newRequest),
  structure("shortLink", shortLink, some.shortLink),
  structure("ownerAuth", ownerAuth, some.ownerAuth),
  structure("fixedLinkData", fixedLinkData, some.fixedLinkData),
  structure("userLinkData", userLinkData, some.userLinkData),
  structure("aMessage", aMessage, some.aMessage),
  structure("agentMessage", agentMessage, some.agentMessage),
  structure("agentEnvelope", agentEnvelope, some.agentEnvelope),
  structure("clientMessage", clientMessage, some.clientMessage),
  structure("clientMsgEnvelope", clientMsgEnvelope, some.clientMsgEnvelope),
];

/** What loses something on the way: old versions of addresses. */
const LOSSY: readonly Structure[] = [
  structure("queueUri of any version", queueUri, some.queueUri),
  structure("smpQueueInfo of any version", smpQueueInfo, some.queueInfo),
  structure("connectionRequest of any version", connectionRequest, some.request),
];

/** Fails unless `bytes` decode or are refused with a DecodeError. */
function tryDecode<T>(codec: Codec<T>, bytes: Uint8Array): T | undefined {
  try {
    return decode(codec, bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw new Error("another error than a DecodeError", { cause: error });
    return undefined;
  }
}

describe.each(WHOLE)("$name", ({ codec, values }) => {
  test("comes out as it went in", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(codec, encode(codec, value))).toStrictEqual(value);
      }),
    );
  });

  test("cut at any place it is refused, or something else", () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(codec, value);
        // Lengths beyond a few hundred are blobs that can be cut anywhere.
        for (let length = 0; length < Math.min(bytes.length, 400); length++) {
          const decoded = tryDecode(codec, bytes.subarray(0, length));
          if (decoded !== undefined) expect(equal(encode(codec, decoded), bytes)).toBe(false);
        }
      }),
      { numRuns: 5 },
    );
  });
});

describe.each(LOSSY)("$name", ({ codec, values }) => {
  test("what was read is read again from what it writes", () => {
    fc.assert(
      fc.property(values, (value) => {
        const decoded = decode(codec, encode(codec, value));
        expect(decode(codec, encode(codec, decoded))).toStrictEqual(decoded);
      }),
    );
  });
});

describe.each([...WHOLE, ...LOSSY])("$name from a hostile peer", ({ codec, values }) => {
  test("random bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void tryDecode(codec, bytes)), { numRuns: 400 });
  });

  test("what is valid, damaged, is refused or means something that can be said again", () => {
    fc.assert(
      fc.property(values, mutations, (value, list) => {
        const decoded = tryDecode(codec, mutated(encode(codec, value), list));
        if (decoded !== undefined) expect(tryDecode(codec, encode(codec, decoded))).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});
