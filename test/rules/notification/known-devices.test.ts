import { describe, expect, it } from "vitest";
import { base64url } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import type { Env } from "../../../src/objects/env.ts";
import { deviceAt, findDevice } from "../../../src/objects/locate.ts";

/** The folder of the devices' files on this machine, and who is asked then. */
function machine(): { readonly env: Env; readonly files: Set<string>; looks: () => number } {
  const files = new Set<string>();
  let looks = 0;
  const env = {
    DEVICE: { idFromName: (name: string) => ({ toString: () => name }), get: (id: unknown) => String(id) },
    DEVICE_FILES: {
      fetch: async (url: string) => {
        looks++;
        return { ok: files.has(/\/([^/]+)\.sqlite$/.exec(url)?.[1] ?? "") };
      },
    },
  } as unknown as Env;
  return { env, files, looks: () => looks };
}

describe("on this machine a device", () => {
  it("is looked for once, whether or not it exists", async () => {
    const { env, files, looks } = machine();
    const [here, missing] = [randomBytes(16), randomBytes(16)];
    files.add(base64url(here));
    for (let i = 0; i < 3; i++) expect(await findDevice(env, here)).toBe(base64url(here));
    expect(looks()).toBe(1);
    for (let i = 0; i < 3; i++) expect(await findDevice(env, missing)).toBe("nobody");
    expect(looks()).toBe(2);
  });

  it("that was missing is there as soon as it is made", async () => {
    const { env, files } = machine();
    const device = randomBytes(16);
    expect(await findDevice(env, device)).toBe("nobody");
    deviceAt(env, device);
    files.add(base64url(device));
    expect(await findDevice(env, device)).toBe(base64url(device));
  });
});
