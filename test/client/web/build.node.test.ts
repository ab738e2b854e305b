import { expect, test } from "vitest";
import { MemoryStore } from "../../../client/store/memory.ts";
import { checkClaim, claim } from "../../../client/web/worker/build.ts";

const OUTDATED = { name: "SessionError", failure: "OUTDATED" };

test("what wakes for a push opens a profile only when it is the code that the page has", async () => {
  const store = new MemoryStore();
  await expect(checkClaim(store, "/app/chat-2.js")).rejects.toMatchObject(OUTDATED);
  await claim(store, "/app/chat-2.js");
  await checkClaim(store, "/app/chat-2.js");
  for (const other of ["/app/chat-1.js", "/app/chat-3.js"]) {
    await expect(checkClaim(store, other)).rejects.toMatchObject(OUTDATED);
  }
  // The page that is opened next is another one.
  await claim(store, "/app/chat-3.js");
  await checkClaim(store, "/app/chat-3.js");
});

test("it is the same code without being named", async () => {
  const store = new MemoryStore();
  await claim(store);
  await checkClaim(store);
});
