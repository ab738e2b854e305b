import { fromUtf8, utf8 } from "#crypto/bytes";
import { appendFileSync } from "node:fs";
import { Agent } from "../../../client/agent/agent.ts";
import { openSqliteStore } from "../../../client/node/sqlite-store.ts";
import { urlsOf } from "./person.ts";

/**
 * A program of its own that joins an invitation, writes each message as a line to a file and then acknowledges it. It
 * can be killed at any time and started again. Arguments: profile, file, relay's address, its URL, link.
 */
const [profile = "", file = "", address = "", url = "", link = ""] = process.argv.slice(2);
const agent = await Agent.open({
  store: await openSqliteStore(profile),
  ...urlsOf([{ address, url }]),
  backoff: { first: 50, cap: 500 },
});
if ((await agent.connections()).length === 0) await agent.join(link, utf8("a program"));
process.stdout.write("running\n");
for await (const event of agent.events) {
  if (event.type === "error") process.stdout.write(`error ${event.error.message}\n`);
  if (event.type !== "message") continue;
  appendFileSync(file, `${event.item} ${fromUtf8(event.body)}\n`);
  await agent.acknowledge(event.connection, event.item, new Uint8Array());
}
