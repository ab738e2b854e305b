import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { drive } from "./support/driver.ts";
import { newTalker, otherTab, type Talker } from "./support/talk.ts";
import { WebBrowser } from "./support/web-browser.ts";

const folder = temporaryFolder();
let relay: RelayProcess;
/** Machines that do much else are slow. */
const PATIENT = { timeout: 20_000 };
let browser: WebBrowser;
let alice: Talker;

beforeAll(async () => {
  [relay, browser] = await Promise.all([RelayProcess.start(join(folder, "relay")), WebBrowser.start()]);
  alice = await newTalker(browser, relay.info.app, "Alice");
});

afterAll(async () => {
  await alice.person.leave();
  await browser.stop();
  await relay.stop();
  removeFolder(folder);
});

const names = async (page = alice.page): Promise<string[]> => {
  const users = await drive<{ profile: { displayName: string } }[]>(page, "call", "users", "list");
  return users.map(({ profile }) => profile.displayName);
};

describe("a passphrase", () => {
  test("is set while the profile is open, and asked for from then on", async () => {
    expect(await drive(alice.page, "passphrase", "isSet")).toBe(false);
    expect(await drive(alice.page, "control", "lock")).toBe("UsageError USAGE");
    expect(await drive(alice.page, "passphrase", "set", "")).toBe("UsageError USAGE");
    expect(await names()).toEqual(["Alice"]);
    expect(await drive(alice.page, "passphrase", "set", "open sesame")).toBe("done");
    expect(await drive(alice.page, "passphrase", "isSet")).toBe(true);
    expect(await names()).toEqual(["Alice"]);

    await alice.page.reload();
    expect(await drive(alice.page, "open")).toBe("StoreError PASSPHRASE");
    expect(await drive(alice.page, "open", "open barley")).toBe("StoreError PASSPHRASE");
    expect(await drive(alice.page, "open", "open sesame")).toBe("open");
    expect(await names()).toEqual(["Alice"]);
  });

  test("another tab opens with the one that is open, and goes on when that is closed", async () => {
    const second = await otherTab(alice, relay.info.app);
    expect(await names(second)).toEqual(["Alice"]);
    const third = await otherTab(alice, relay.info.app);
    await second.close();
    await alice.page.close();
    expect(await names(third)).toEqual(["Alice"]);
    Object.assign(alice, { page: third });
  });

  test("locking locks every tab, and one passphrase opens them all", async () => {
    const second = await otherTab(alice, relay.info.app);
    expect(await drive(second, "control", "lock")).toBe("done");
    expect(await drive(alice.page, "status")).toMatchObject({ phase: "locked" });
    expect(await drive(alice.page, "attempt", "users", "list")).toBe("SessionError CLOSED");
    // Nobody kept it: a new tab is locked too, and so is the one that takes over.
    await alice.page.reload();
    expect(await drive(alice.page, "open")).toBe("StoreError PASSPHRASE");
    expect(await drive(second, "open")).toBe("StoreError PASSPHRASE");
    expect(await drive(second, "open", "open sesame")).toBe("open");
    expect(await drive(alice.page, "open")).toBe("open");
    expect(await names()).toEqual(["Alice"]);
    await second.close();
    await expect.poll(() => drive(alice.page, "status"), PATIENT).toMatchObject({ phase: "open", isLeader: true });
  });

  test("is changed and removed only with itself", async () => {
    expect(await drive(alice.page, "passphrase", "change", "wrong", "new")).toBe("StoreError PASSPHRASE");
    expect(await drive(alice.page, "passphrase", "change", "open sesame", "new")).toBe("done");
    expect(await drive(alice.page, "control", "lock")).toBe("done");
    expect(await drive(alice.page, "open", "open sesame")).toBe("StoreError PASSPHRASE");
    expect(await drive(alice.page, "open", "new")).toBe("open");
    expect(await drive(alice.page, "passphrase", "remove", "wrong")).toBe("StoreError PASSPHRASE");
    expect(await names()).toEqual(["Alice"]);
    expect(await drive(alice.page, "passphrase", "remove", "new")).toBe("done");
    await alice.page.reload();
    expect(await drive(alice.page, "open")).toBe("open");
    expect(await names()).toEqual(["Alice"]);
  });

  test("everything is deleted in all tabs, and a new beginning is possible", async () => {
    const second = await otherTab(alice, relay.info.app);
    await alice.page.evaluate(() => localStorage.setItem("smp-edge device", "{}"));
    // Pages are loaded anew then: what is to be erased after it may never be.
    const kept = drive(alice.page, "keptAtDeletion");
    expect(await drive(alice.page, "control", "deleteEverything")).toBe("done");
    expect(await kept).toBe(0);
    expect(await drive(second, "status")).toMatchObject({ phase: "deleted" });
    expect(await drive(second, "open")).toBe("open");
    expect(await names(second)).toEqual([]);
    expect(await names()).toEqual([]);
  });
});
