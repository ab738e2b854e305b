import { RelayProcess, temporaryFolder, removeFolder } from "../support/relay-process.ts";
import { RawSocket, OPCODE, closePayload } from "./support/raw-socket.ts";
import { WireClient, named } from "../support/wire-client.ts";
import { makeQueue, send, subscribe } from "../support/queue-user.ts";
import { randomBytes } from "#crypto/random";
import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const data = temporaryFolder();
const relay = await RelayProcess.start(data);
const rss = () => { const pid = readFileSync(join(data, "workerd.pid"), "utf8").trim(); return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024; };
try {
  const z = await RawSocket.open(relay.info.url, "", ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]);
  console.log("headers", [...z.headers]);
  z.drop();
  const raw = () => RawSocket.open(relay.info.url);
  for (const [name, act] of Object.entries({
    empty: (s: RawSocket) => s.send(new Uint8Array(0)), one: (s: RawSocket) => s.send(new Uint8Array(1)),
    s16385: (s: RawSocket) => s.send(new Uint8Array(16385)), s100k: (s: RawSocket) => s.send(new Uint8Array(100_000)),
    s2M: (s: RawSocket) => s.send(new Uint8Array(2_000_000)), s40M: (s: RawSocket) => s.send(new Uint8Array(40_000_000)),
    text: (s: RawSocket) => s.send("x"), badutf: (s: RawSocket) => s.frame({ opcode: 1, payload: new Uint8Array(16384).fill(0xff) }),
    unmasked: (s: RawSocket) => s.frame({ opcode: 2, payload: new Uint8Array(16384), masked: false }),
    rsv: (s: RawSocket) => s.frame({ opcode: 2, payload: new Uint8Array(16384), reserved: 4 }),
    opcode3: (s: RawSocket) => s.frame({ opcode: 3, payload: new Uint8Array(16384) }),
    cont: (s: RawSocket) => s.frame({ opcode: 0, payload: new Uint8Array(16384) }),
    ping: (s: RawSocket) => { s.frame({ opcode: 9, payload: new Uint8Array(126) }); },
    ...Object.fromEntries([0, 999, 1000, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65535].map((c) => [`close${c}`, (s: RawSocket) => s.close(c)])),
    close1: (s: RawSocket) => s.frame({ opcode: 8, payload: new Uint8Array(1) }),
    closeEmpty: (s: RawSocket) => s.frame({ opcode: 8, payload: new Uint8Array(0) }),
    closeBadReason: (s: RawSocket) => s.frame({ opcode: 8, payload: closePayload(1000, new Uint8Array(20).fill(255)) }),
  })) {
    const s = await raw();
    act(s);
    const c = await Promise.race([s.closed, new Promise((r) => setTimeout(() => r("open"), 1500))]);
    console.log(name, JSON.stringify(c));
    s.drop();
  }
  // memory
  const before = rss();
  const wire = await WireClient.connect((qq) => RawSocket.open(relay.info.url, qq).then((s) => { sock = s; return s; }));
  var sock: RawSocket;
  const q = await makeQueue(wire);
  await send(wire, q, "x".repeat(10));
  await wire.event();
  console.log("rss", before, rss());
  sock!.stopReading();
  for (let i = 0; i < 60; i++) {
    const ts = Array.from({ length: 100 }, () => wire.transmission({ tag: "SUB" }, q.recipientKey, q.ids.rcvId, randomBytes(24)));
    wire.sendAll(ts);
  }
  for (let i = 0; i < 8; i++) { await new Promise((r) => setTimeout(r, 1000)); console.log("rss while not reading", rss()); }
  sock!.drop();
  await new Promise((r) => setTimeout(r, 2000));
  console.log("rss after drop", rss());
  const c2 = await relay.connect();
  console.log(named(await c2.ask({ tag: "PING" })));
  const q2 = await makeQueue(c2); await send(c2, q2, "hello"); await c2.event();
  const corr = randomBytes(255);
  c2.sendAll([c2.transmission({ tag: "GET" }, q2.recipientKey, q2.ids.rcvId, corr)]);
  console.log("GET while SUB", named((await c2.answer(corr)).message));
  const c3 = await relay.connect();
  const corr3 = randomBytes(255);
  c3.sendAll([c3.transmission({ tag: "GET" }, q2.recipientKey, q2.ids.rcvId, corr3)]);
  console.log("GET long corr", await Promise.race([c3.answer(corr3).then((a) => named(a.message), (e) => String(e)), c3.closed]), await Promise.race([c3.closed, 0]));
} finally { await relay.stop(); removeFolder(data); }
process.exit(0);
