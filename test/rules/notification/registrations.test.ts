import { describe, expect, it } from "vitest";
import { EMPTY, hex } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { type DeviceToken, webPushToken } from "#protocol/ntf/token";
import { newDevice } from "../../../src/relay/notification/ids.ts";
import { UNUSED_TTL } from "../../../src/relay/notification/limits.ts";
import {
  activate,
  type Enrolment,
  enroll,
  lookAgainAt,
  NO_REGISTRATIONS,
  noteTold,
  placeOf,
  refusalOf,
  type Registrations,
  release,
  tidy,
} from "../../../src/relay/notification/registrations.ts";
import { APNS, authorizedNtf } from "../../support/device-bench.ts";
import { authSecret, otherKey } from "../../support/queue-bench.ts";

const AT = 1_800_000_000_000;
const MINUTE = 60_000;

const web = (endpoint: string, fill = 1): DeviceToken => {
  const [auth, p256dh] = [new Uint8Array(16).fill(fill), new Uint8Array(65).fill(fill)];
  p256dh[0] = 4;
  return webPushToken(endpoint, auth, p256dh);
};
const one = (token = APNS): Enrolment => ({ device: newDevice(), token, verifyKey: generateKeyPair("Ed25519").publicKey });

/** All enrolled, far enough apart. */
function enrolled(all: readonly Enrolment[], registrations: Registrations = NO_REGISTRATIONS): Registrations {
  let state = registrations;
  for (const asked of all) {
    const made = enroll({ ...state, attempts: null }, asked, AT);
    if (!made) throw new Error("refused");
    state = made.registrations;
  }
  return state;
}

function activated(registrations: Registrations, asked: Enrolment, now = AT): Registrations {
  const active = activate(registrations, asked, now);
  if (!active) throw new Error("it is over");
  return active;
}

const names = (list: readonly { readonly device: Uint8Array }[]): readonly string[] => list.map(({ device }) => hex(device));

describe("registrations of one device token", () => {
  it("are found again by their key", () => {
    const asked = one();
    const again = enroll(enrolled([asked]), { ...asked, device: newDevice() }, AT);
    expect(again).toMatchObject({ device: asked.device, registrations: { entries: [{ device: asked.device }], forgotten: [] } });
  });

  it("all but the verified one are forgotten", () => {
    const all = [one(), one(), one()] as const;
    const { entries, forgotten } = activated(enrolled(all), all[1]);
    expect(entries).toMatchObject([{ device: all[1].device, isActive: true }]);
    expect(forgotten).toMatchObject([all[0], all[2]].map(({ device, token }) => ({ device, token, toldAt: null })));
  });

  it("the verified one that says so again changes nothing", () => {
    const asked = one();
    const state = activated(enrolled([asked]), asked);
    expect(activate(state, asked, AT + 1)).toBe(state);
  });

  it("of strangers neither flood the device with pushes nor push out its owner", () => {
    const owner = one();
    let state = activated(enrolled([owner]), owner);
    let granted = 0;
    for (let second = 0; second < 3600; second++) {
      const made = enroll(state, one(), AT + 1000 * second);
      if (!made) continue;
      granted++;
      state = made.registrations;
    }
    expect(granted).toBeLessThanOrEqual(6 * 60 + 6);
    expect(state.entries).toHaveLength(8);
    expect(state.forgotten).toHaveLength(granted - 7);
    expect(state.entries[0]).toMatchObject({ device: owner.device, isActive: true });
  });
});

describe("a registration that is over", () => {
  it("and is verified before it hears so does not end the valid one", () => {
    const [first, second] = [one(), one()];
    const state = activated(enrolled([first, second]), first);
    expect(activate(state, second, AT)).toBeNull();
    const told = noteTold(state, second, AT);
    expect(activate(told, second, AT + 1), "it heard so while it was verified").toBeNull();
    expect(told.entries).toMatchObject([{ device: first.device, isActive: true }]);
  });

  it("is kept in mind until it was told, and for a minute after it", () => {
    const [first, second] = [one(), one()];
    const state = activated(enrolled([first, second]), first);
    expect(tidy(state, AT + UNUSED_TTL)?.forgotten).toHaveLength(1);
    expect(lookAgainAt(state, AT)).toBe(AT + 30_000);
    const told = noteTold(state, second, AT);
    expect(lookAgainAt(told, AT)).toBe(AT + MINUTE);
    expect(tidy(told, AT + MINUTE - 1)?.forgotten).toHaveLength(1);
    expect(tidy(told, AT + MINUTE)).toMatchObject({ entries: [{ device: first.device }], forgotten: [] });
    expect(lookAgainAt({ ...told, forgotten: [] }, AT), "one that is verified stays").toBeNull();
  });

  it("is not any more once it comes back from another device token", () => {
    const [first, second] = [one(), one()];
    const state = enrolled([second], activated(enrolled([first, second]), first));
    expect(state.forgotten).toStrictEqual([]);
    expect(names(activated(state, second).entries)).toStrictEqual(names([second]));
  });
});

describe("a registration that is not there", () => {
  it("as it was released late, for one before it with the same name, is taken in when it is verified", () => {
    const [asked, stranger] = [one(), one()];
    const state = release(enrolled([asked, stranger]), asked);
    const active = activated(state, asked);
    expect(active.entries).toMatchObject([{ ...asked, isActive: true }]);
    expect(names(active.forgotten)).toStrictEqual(names([stranger]));
  });

  it("is not released", () => {
    const [asked, other] = [one(), one()];
    const state = enrolled([asked]);
    expect(release(state, other)).toBe(state);
    expect(release(state, asked).entries).toStrictEqual([]);
  });
});

describe("what nothing came of", () => {
  it("is forgotten after a month, and then nothing is left", () => {
    const asked = one();
    const state = enrolled([asked]);
    expect(lookAgainAt(state, AT)).toBe(AT + UNUSED_TTL);
    expect(tidy(state, AT + UNUSED_TTL - 1)?.entries).toHaveLength(1);
    expect(tidy(state, AT + UNUSED_TTL)).toBeNull();
    const again = enroll(state, asked, AT + UNUSED_TTL - 1)?.registrations ?? state;
    expect(tidy(again, AT + UNUSED_TTL)?.entries, "asked for again").toHaveLength(1);
    expect(tidy(activated(state, asked), AT + 100 * UNUSED_TTL)?.entries, "verified").toHaveLength(1);
  });

  it("leaves its attempts for a minute", () => {
    const asked = one();
    const state = release(enrolled([asked]), asked);
    expect(lookAgainAt(state, AT)).toBe(AT + MINUTE);
    expect(tidy(state, AT + MINUTE - 1)).not.toBeNull();
    expect(tidy(state, AT + MINUTE)).toBeNull();
  });

  it("is not asked for: by a stranger, for a provider that is not set up, with a key of low order", () => {
    const { publicKey: verifyKey, secretKey } = generateKeyPair("Ed25519");
    const command = { tag: "TNEW", token: APNS, verifyKey, dhKey: generateKeyPair("X25519").publicKey } as const;
    const refused = (change: Partial<typeof command>, key = authSecret({ publicKey: verifyKey, secretKey }), isAllowed = true) => {
      const changed = { ...command, ...change };
      return refusalOf(changed, authorizedNtf(changed, EMPTY, key), () => isAllowed);
    };
    expect(refused({})).toBeNull();
    expect(refused({}, otherKey())).toMatchObject({ error: { type: "AUTH" } });
    expect(refused({}, undefined, false)).toMatchObject({ error: { type: "CMD", cmdErr: { type: "PROHIBITED" } } });
    const dhKey = { algorithm: "X25519", raw: new Uint8Array(32) } as const;
    expect(refused({ dhKey })).toMatchObject({ error: { type: "CMD", cmdErr: { type: "SYNTAX" } } });
  });
});

describe("device tokens of one endpoint", () => {
  const ENDPOINT = "https://push.example.org/send/Ab1?x=%7E";

  it.each([
    ["other keys", web(ENDPOINT, 2)],
    ["capitals in the host", web("https://PUSH.Example.org/send/Ab1?x=%7E")],
    ["the port of https", web("https://push.example.org:443/send/Ab1?x=%7E")],
    ["detours", web("https://push.example.org/x/../send/./Ab1?x=%7E")],
    ["escapes", web("https://push.example.org/%73end/Ab1?x=%7e")],
  ])("lead to the same place, with %s", (_, token) => {
    expect(hex(placeOf(token))).toBe(hex(placeOf(web(ENDPOINT))));
  });

  it.each([
    web("https://push.example.org/send/ab1?x=%7E"),
    web("https://push.example.org/send/Ab1?x=1"),
    web("https://push.example.org/send/Ab1"),
    web("https://push.example.org:8443/send/Ab1?x=%7E"),
    web("https://push.example.net/send/Ab1?x=%7E"),
    APNS,
  ])("are others than that of %o", (token) => {
    expect(hex(placeOf(token))).not.toBe(hex(placeOf(web(ENDPOINT))));
  });

  it("are counted together, whatever their keys", () => {
    let [state, granted] = [NO_REGISTRATIONS, 0];
    for (let fill = 1; fill <= 20; fill++) {
      const made = enroll(state, one(web(ENDPOINT, fill)), AT);
      if (made) granted++;
      state = made?.registrations ?? state;
    }
    expect(granted).toBe(6);
    for (let fill = 21; fill <= 40; fill++) state = enrolled([one(web(ENDPOINT, fill))], state);
    expect(state.entries).toHaveLength(8);
  });

  it("are verified each by itself, with the same key too, and only so many", () => {
    const { verifyKey } = one();
    const all = Array.from({ length: 6 }, (_, i): Enrolment => ({ ...one(web(ENDPOINT, i + 1)), verifyKey }));
    const state = all.reduce((sum, asked) => activated(enrolled([asked], sum), asked), NO_REGISTRATIONS);
    expect(names(state.entries)).toStrictEqual(names(all.slice(-4)));
    expect(state.forgotten).toMatchObject(all.slice(0, 2).map(({ device, token }) => ({ device, token })));
  });

  it("can be exchanged for each other by one registration", () => {
    const former = one(web(ENDPOINT, 1));
    const later = { ...former, token: web(ENDPOINT, 2) };
    const state = release(enrolled([later], activated(enrolled([former]), former)), former);
    expect(state.entries).toMatchObject([{ device: former.device, token: later.token, isActive: false }]);
    expect(activated(state, later)).toMatchObject({ entries: [{ ...later, isActive: true }], forgotten: [] });
  });
});
