import { openSqliteStore } from "../../../../client/node/sqlite-store.ts";

// Writes rounds to the file in the first argument until it is killed: each round is one write that puts its number in
// 50 records. Prints the number when the store says that it is durable.
const [file = ""] = process.argv.slice(2);
const store = await openSqliteStore(file);
const last = await store.read("round", "0");
let round = last === null ? 0 : new DataView(last.buffer).getUint32(0);
for (;;) {
  round++;
  const value = new Uint8Array(200);
  new DataView(value.buffer).setUint32(0, round);
  await store.write(Array.from({ length: 50 }, (_, i) => ({ table: "round", key: `${i}`, value })));
  process.stdout.write(`${round}\n`);
}
