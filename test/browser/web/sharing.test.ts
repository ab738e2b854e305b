import { expect, test } from "vitest";
import { DESKTOP, meet, PHONE } from "./support/somebody.ts";
import { stage } from "./support/stage.ts";

const { somebody } = stage();

test("a voice message is recorded, sent and played", async () => {
  const media = ["microphone", "clipboard-read", "clipboard-write"];
  const [alice, bob] = [await somebody("Alice", { ...DESKTOP, permissions: media }), await somebody("Bob", PHONE)];
  await meet(alice, bob);
  await alice.button("Record a voice message").click();
  await alice.page.getByRole("group", { name: "Recording" }).getByText("0:02").waitFor();
  await alice.button("Stop and send").click();
  const note = bob.page.locator(".voice");
  await note.getByRole("button", { name: "Play" }).click({ timeout: 30_000 });
  await note.getByRole("button", { name: "Pause" }).waitFor();
  const position = (): Promise<number> => note.getByRole("slider").inputValue().then(Number);
  await expect.poll(position, { timeout: 8000 }).toBeGreaterThan(0.3);
});

test("a code in a picture of the screen leads to the one who shows it", async () => {
  const [alice, bob] = [await somebody("Alice"), await somebody("Bob", PHONE)];
  await alice.invite();
  const screen = await alice.page.screenshot();
  await bob.go("#/connect");
  await bob.page.locator("input[type=file]").setInputFiles({ name: "screen.png", mimeType: "image/png", buffer: screen });
  await bob.page.getByText("This is an invitation for one person").waitFor();
  await bob.button("Connect").click();
  await Promise.all([alice, bob].map((one) => one.sees("You are connected")));
});

test("a picture without a code, and a text that is no link, are explained", async () => {
  const bob = await somebody("Bob", PHONE);
  await bob.go("#/connect");
  const screen = { name: "screen.png", mimeType: "image/png", buffer: await bob.page.screenshot() };
  await bob.page.locator("input[type=file]").setInputFiles(screen);
  await bob.page.getByRole("alert").getByText("There is no QR code in this picture").waitFor();
  await bob.page.getByRole("textbox", { name: "Link" }).fill("https://example.org/");
  await bob.button("Next").click();
  await bob.page.getByRole("alert").getByText("This is not a whole SimpleX link").waitFor();
});

test("a file goes to the other side as it is, and one that is too large is refused with a reason", async () => {
  const [alice, bob] = [await somebody("Alice"), await somebody("Bob")];
  await meet(alice, bob);
  const content = "a,b\n1,2\n".repeat(5000);
  const pick = (buffer: Buffer): Promise<void> =>
    alice.page.locator("input[type=file]").setInputFiles({ name: "table \u202E.csv", mimeType: "text/csv", buffer });
  await pick(Buffer.from(content));
  await alice.button("Send").click();
  const save = bob.button(/^Save table/);
  await save.waitFor({ timeout: 30_000 });
  const [download] = await Promise.all([bob.page.waitForEvent("download"), save.click()]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toBe(content);
  expect(download.suggestedFilename()).toMatch(/^table.*\.csv$/);

  await pick(Buffer.alloc(2_000_000, 1));
  await alice.button("Send").click();
  await alice.page.getByRole("alert").waitFor();
  // It is still there, to be done otherwise.
  await alice.page.getByRole("group", { name: "Attachment" }).waitFor();
});

test("a second profile has its own people, and none of the first one's", async () => {
  const [alice, bob] = [await somebody("Alice"), await somebody("Bob")];
  await meet(alice, bob);
  await alice.go("#/profiles");
  await alice.page.getByLabel("Another profile").fill("Aunt Alice");
  await alice.button("Create").click();
  await alice.page.getByRole("link", { name: "Your profiles, now Aunt Alice" }).waitFor();
  await expect.poll(() => alice.line("Bob").count()).toBe(0);
  await bob.say("are you there?");
  await alice.go("#/profiles");
  await alice.page.getByRole("main").getByRole("button", { name: /^\s*A?\s*Alice$/ }).click();
  await alice.line("Bob").getByText("are you there?").waitFor();
});

test("messages disappear when both agreed on it, and say when", async () => {
  const [alice, bob] = [await somebody("Alice"), await somebody("Bob")];
  await meet(alice, bob);
  await alice.go(`${new URL(alice.page.url()).hash}/preferences`);
  // It is checked once it is stored, not at the click.
  await alice.page.getByRole("group", { name: "After" }).getByRole("radio", { name: "1 hour" }).click();
  await alice.page.getByText("On for both").first().waitFor();
  await bob.sees("Preferences changed: Disappearing messages");
  await alice.open("Bob");
  await alice.say("gone in an hour");
  await (await bob.sees("gone in an hour")).getByTitle(/^disappears/).waitFor();
});
