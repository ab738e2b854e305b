import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeQR } from "qr";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_FILE_SIZE } from "../../../client/chat/rules/files.ts";
import { MAX_FILE_LENGTH } from "../../../client/web/media/picture.ts";
import { PageServer } from "../support/page-server.ts";
import type { Recorded, Shrunk } from "./support/media-results.ts";
import { type Person, WebBrowser } from "./support/web-browser.ts";

const LINK = "simplex:/i#VFdek96seojzgcjwGbYmrSvUEdO25PAQ/KR0SkbK4qjdNlzAFlgeqhcSZIqcUVvAZJ_bBWl51Evo?h=smp.example.org&c=u7BP1SN1o0pik3f";
const folder = mkdtempSync(join(tmpdir(), "smp-edge-camera-"));

/** What the camera sees: a code in front of something grey, as YUV 4:2:0. */
function film(text: string): Buffer {
  const [width, height, module] = [640, 480, 5];
  const rows = encodeQR(text, "raw", { ecc: "medium", border: 4 });
  const luma = Buffer.alloc(width * height, 140);
  const [left, top] = [Math.floor((width - rows.length * module) / 2), Math.floor((height - rows.length * module) / 2)];
  for (const [y, row] of rows.entries()) {
    for (const [x, isDark] of row.entries()) {
      for (let i = 0; i < module; i++) {
        const at = (top + y * module + i) * width + left + x * module;
        luma.fill(isDark ? 16 : 235, at, at + module);
      }
    }
  }
  const frame = Buffer.concat([Buffer.from("FRAME\n"), luma, Buffer.alloc((width * height) / 2, 128)]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`), ...Array.from({ length: 5 }, () => frame)]);
}

let server: PageServer;
let browser: WebBrowser;
let person: Person;
let page: Page;

beforeAll(async () => {
  const seen = join(folder, "code.y4m");
  writeFileSync(seen, film(LINK));
  [server, browser] = await Promise.all([
    PageServer.start("test/browser/web/page/media.ts"),
    WebBrowser.start([`--use-file-for-fake-video-capture=${seen}`]),
  ]);
  person = await browser.person({ permissions: ["camera", "microphone"] });
  page = await person.open(server.url);
});

afterAll(async () => {
  await person.leave();
  await browser.stop();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const call = async <T>(name: string, ...args: readonly unknown[]): Promise<T> =>
  await page.evaluate(`script.${name}(...${JSON.stringify(args)})`) as T;

describe("a picture", () => {
  test("may be as large as files that go in messages", () => {
    expect(MAX_FILE_LENGTH).toBe(MAX_FILE_SIZE);
  });

  test.each([[2600, 1900, "image/png"], [900, 2400, "image/jpeg"], [40, 30, "image/webp"]])(
    "of %d x %d becomes small enough to travel, whatever is in it",
    async (width, height, type) => {
      const { name, size, isAsLongAsSaid, preview, beginning, file, previewSeen } = await call<Shrunk>("shrinkNoise", width, height, type);
      expect(size).toBeLessThanOrEqual(126_240);
      expect(isAsLongAsSaid).toBe(true);
      expect(preview).toBeLessThanOrEqual(14_000);
      expect(beginning).toBe("data:image/jpg;base64,");
      expect(name).toMatch(/^IMG_\d{8}_\d{6}\.jpg$/);
      for (const seen of [file, previewSeen]) {
        expect(Math.abs(seen.width / seen.height - width / height)).toBeLessThan(0.05);
        expect(seen.width).toBeLessThanOrEqual(width);
      }
    },
  );

  test("loses where and with what it was taken, and stands upright", async () => {
    const { hasExif, file } = await call<Shrunk>("shrinkTurned");
    expect(hasExif).toBe(false);
    expect([file.width, file.height]).toEqual([200, 400]);
    // What was at the bottom on the left is at the top on the left when it is turned to the right.
    expect(file.corner[0]).toBeGreaterThan(200);
  });

  test("that is transparent gets a white ground", async () => {
    expect((await call<Shrunk>("shrinkTransparent")).file.corner).toEqual([255, 255, 255]);
  });

  test("for a profile is a square", async () => {
    for (const [width, height] of [[1200, 700], [300, 900]]) {
      const { length, seen } = await call<{ length: number; seen: { width: number; height: number } }>("shrinkProfile", width, height);
      expect(length).toBeLessThanOrEqual(12_500);
      expect(seen.width).toBe(seen.height);
    }
  });

  test("that is none is refused", async () => {
    expect(await call("shrinkNonsense")).toBe("InvalidStateError");
  });
});

describe("a code", () => {
  test.each([[300, 0], [500, 17], [900, 90], [260, 180]])("of %d pixels, turned by %d degrees, is read from a picture", async (pixels, degrees) => {
    expect(await call("drawAndRead", LINK, pixels, degrees)).toBe(LINK);
  });

  test("may hold what is not ASCII", async () => {
    expect(await call("drawAndRead", "приглашение 👋", 300, 0)).toBe("приглашение 👋");
  });

  test("is not found where there is none, and not drawn when no camera could read it", async () => {
    expect(await call("readNothing")).toBeNull();
    expect(await call("isDrawn", "x".repeat(1273))).toBe(true);
    expect(await call("isDrawn", "x".repeat(1274))).toBe(false);
  });

  test("is read by the camera, which is off afterwards", async () => {
    expect(await call("scan")).toEqual({ text: LINK, isOff: true });
  });
});

describe("a voice note", () => {
  test("is recorded in a form that can be heard, and is as long as it says", async () => {
    expect(await call("canRecord")).toBe(true);
    const recorded = await call<Recorded>("record", 2600);
    expect(recorded.name).toMatch(/^voice_\d{8}_\d{6}\.(?:m4a|webm)$/);
    expect(recorded.type).toMatch(/^audio\/(?:mp4|webm)$/);
    expect(recorded.size).toBeGreaterThan(500);
    expect(recorded.size).toBeLessThan(12_000);
    expect(recorded.seconds).toBe(3);
    expect(Math.abs(recorded.duration - 2.6)).toBeLessThan(0.5);
  });

  test("that was hardly begun is none", async () => {
    expect(await call("record", 100)).toBeNull();
    expect(await call("recordAndCancel")).toBe("cancelled");
  });
});
