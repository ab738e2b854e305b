import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  makeIdentity,
  type OnlineIdentityFile,
  parseIdentity,
  parseOnlineIdentity,
  type RelayIdentity,
  toIdentityFile,
  toOnlineIdentityFile,
} from "../relay/identity.ts";
import { hasQueues } from "./data-folder.ts";
import { startLocalRelay } from "./local-relay.ts";
import { localSettings } from "./settings.ts";
import { parseCommandLine, UsageError } from "./usage.ts";

const DEFAULT_DATA = "data";
const OPTIONS = {
  data: { type: "string" },
  relay: { type: "string" },
  host: { type: "string", default: "localhost" },
  force: { type: "boolean", default: false },
  gateway: { type: "boolean", default: false },
} as const;

interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

type Admin = (method: "GET" | "PUT", path: string, body?: string) => Promise<AdminAnswer>;

async function withLocalRelay<T>(data: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  // The folder is ours alone while it is open, so a token for this one call is enough.
  const token = randomBytes(24).toString("hex");
  const settings = { ...localSettings(process.env), ADMIN_TOKEN: token };
  const relay = await startLocalRelay({ host: "127.0.0.1", port: 0, data, settings });
  try {
    return await use(adminOf(relay.pages, token));
  } finally {
    await relay.stop();
  }
}

function adminOf(base: string, token: string): Admin {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${base.replace(/\/$/, "")}/admin/${path}`, { method, headers, ...(body ? { body } : {}) });
    return { status: response.status, body: await response.text() };
  };
}

function withRemoteRelay<T>(url: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  const token = process.env["SMP_EDGE_ADMIN_TOKEN"];
  if (!token) throw new UsageError("set SMP_EDGE_ADMIN_TOKEN to the relay's ADMIN_TOKEN");
  return use(adminOf(url, token));
}

function expectOk({ status, body }: AdminAnswer): string {
  if (status === 200) return body;
  if (status === 404) throw new Error("the relay has no ADMIN_TOKEN, so its identity cannot be read or replaced");
  throw new Error(`the relay answered ${status}: ${body}`);
}

function summary(identity: RelayIdentity): string {
  const file = toIdentityFile(identity);
  return [
    `fingerprint  ${file.fingerprint}`,
    `address      smp://${file.fingerprint}@<host>`,
    `CA key       ${identity.caKey ? "included" : "kept elsewhere"}`,
    "",
  ].join("\n");
}

function readFile(path: string): RelayIdentity {
  return parseIdentity(readFileSync(path === "-" ? 0 : path, "utf8"), Date.now());
}

function asText(file: OnlineIdentityFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}

async function exportWhole(admin: Admin): Promise<string> {
  return asText(toIdentityFile(parseIdentity(expectOk(await admin("GET", "identity")), Date.now())));
}

/** Without what only the relay itself needs. */
async function exportForGateway(admin: Admin): Promise<string> {
  return asText(toOnlineIdentityFile(parseOnlineIdentity(expectOk(await admin("GET", "gateway")), Date.now())));
}

/** Makes, prints, exports and imports the identity of a relay, so that it can move and keep its address. */
export async function identityCommand(args: readonly string[]): Promise<void> {
  const { values, positionals: [action = "", file, ...rest] } = parseCommandLine(args, OPTIONS);
  if (rest.length > 0) throw new UsageError("one file at most");
  const withRelay = <T>(use: (admin: Admin) => Promise<T>): Promise<T> =>
    values.relay ? withRemoteRelay(values.relay, use) : withLocalRelay(values.data ?? DEFAULT_DATA, use);
  switch (action) {
    case "make":
      process.stdout.write(asText(toIdentityFile(makeIdentity(values.host, Date.now()))));
      return;
    case "print": {
      const identity = file
        ? readFile(file)
        : await withRelay(async (admin) => parseIdentity(expectOk(await admin("GET", "identity")), Date.now()));
      process.stdout.write(summary(identity));
      return;
    }
    case "export":
      process.stdout.write(await withRelay(values.gateway ? exportForGateway : exportWhole));
      return;
    case "import": {
      if (!file) throw new UsageError("import needs a file, or - for standard input");
      const identity = readFile(file);
      const body = JSON.stringify(toIdentityFile(identity));
      // A folder without queues has nothing to lose: the identity that it makes at its first start is nobody's yet.
      const isFree = !values.relay && !hasQueues(values.data ?? DEFAULT_DATA);
      const path = values.force || isFree ? "identity?force=1" : "identity";
      await withRelay(async (admin) => expectOk(await admin("PUT", path, body)));
      process.stdout.write(summary(identity));
      return;
    }
    default:
      throw new UsageError("say identity make, print, export or import");
  }
}
