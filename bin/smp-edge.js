#!/usr/bin/env node
// A clone runs its sources; a package has only what was built of them.
import { existsSync } from "node:fs";

/** Commands of the client; all others are the relay's. */
const CHAT = ["chat", "send", "recv", "listen", "invite", "connect"];
/** Node 22.15 brings the compression of the protocol, and SQLite without a switch. */
const LEAST = [22, 15];

const isChat = CHAT.includes(process.argv[2]);
const [major, minor] = process.versions.node.split(".").map(Number);
const isNew = major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
const isHelp = isNew && [undefined, "help", "--help"].includes(process.argv[2]);

if (isChat && !isNew) {
  process.stderr.write(`smp-edge ${process.argv[2]}: needs Node ${LEAST.join(".")} or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}

if (isChat || isHelp) {
  // What Node says of its SQLite is nothing for a person who chats.
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}

const CLIENT = ["../client/terminal/main.ts", "../dist/chat.js"];
const RELAY = ["../src/node/main.ts", "../dist/smp-edge.js"];

/** @param {string[]} places of the source and of what was built of it */
async function run([source, built]) {
  const url = new URL(source, import.meta.url);
  await import((existsSync(url) ? url : new URL(built, import.meta.url)).href);
}

await run(isChat ? CLIENT : RELAY);
if (isHelp) {
  // The other half tells what it does as well.
  process.argv.splice(2, process.argv.length, ...(process.argv.length > 2 ? ["chat", "--help"] : []));
  await run(CLIENT);
}
