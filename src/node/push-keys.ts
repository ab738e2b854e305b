import { randomBytes } from "node:crypto";
import type { DeviceToken } from "#protocol/ntf/token";
import { readConfig, type Settings } from "../config.ts";
import type { PushConfig } from "../push-config.ts";
import { apnsProvider } from "../push/apns.ts";
import { PushConfigError } from "../push/config-error.ts";
import { fcmProvider } from "../push/fcm.ts";
import { deliver, type Provider, type SendRequest, Unreachable } from "../push/provider.ts";
import { makeVapidKeys, readVapid } from "../push/vapid.ts";
import { reasonOf } from "./gateway/reason.ts";
import { resolveName } from "./push-sender/addresses.ts";
import type { Post } from "./push-sender/post.ts";
import { posterOf } from "./push-sender/poster.ts";
import { localSettings } from "./settings.ts";
import { parseCommandLine, UsageError } from "./usage.ts";

const OPTIONS = {
  json: { type: "boolean", default: false },
  connect: { type: "boolean", default: false },
} as const;

/** Milliseconds for a provider to answer. */
const PATIENCE = 30_000;
const HTTPS_PORT = 443;

async function keys(asJson: boolean): Promise<string> {
  const { publicKey, privateKey } = await makeVapidKeys();
  if (asJson) return `${JSON.stringify({ publicKey, privateKey })}\n`;
  return [
    `VAPID_PRIVATE_KEY  ${privateKey}`,
    `public key         ${publicKey}`,
    "",
    "A relay makes such a pair itself at its first start and keeps it. Set this one only where several installations",
    "must have the same, or to have it in your own hands:",
    `  VAPID_PRIVATE_KEY=${privateKey} npm start`,
    "  npx wrangler secret put VAPID_PRIVATE_KEY",
    "The key does not expire. With another key all browsers must subscribe anew; the public one is at /relay.json.",
    "",
  ].join("\n");
}

/** What is said of one provider. */
interface Finding {
  readonly name: string;
  readonly text: string;
  readonly isWrong?: boolean;
}

function senderFor(settings: Settings): SendRequest {
  const post = posterOf(settings, resolveName);
  return async ({ url, headers, body }) => {
    const { hostname: host, port, pathname, search } = new URL(url);
    const asked: Post = {
      host,
      port: port === "" ? HTTPS_PORT : Number(port),
      path: pathname + search,
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
      body: Buffer.from(body),
    };
    try {
      const answer = await post(asked, AbortSignal.timeout(PATIENCE));
      return { status: answer.status, header: (name) => answer.headers[name] ?? null, body: answer.body.toString("utf8") };
    } catch (cause) {
      throw new Unreachable(`${host} does not answer (${reasonOf(cause)})`, { cause });
    }
  };
}

/** Pushes to a device that does not exist: whoever says just that has taken everything else. */
async function ask(provider: Provider, token: DeviceToken, settings: Settings): Promise<string | null> {
  const push = { kind: "check", token, dhSecret: new Uint8Array(32) } as const;
  const result = await deliver(provider, push, senderFor(settings), Date.now);
  if (result.type === "sent" || (result.type === "gone" && result.reason !== "TOPIC")) return null;
  return result.type === "gone" ? "the app is another than the key's" : result.why;
}

async function finding(name: string, look: () => Promise<Omit<Finding, "name">>): Promise<Finding> {
  try {
    return { name, ...await look() };
  } catch (error) {
    if (error instanceof PushConfigError) return { name, text: error.message, isWrong: true };
    throw error;
  }
}

async function told(isAsked: boolean, question: () => Promise<string | null>): Promise<Omit<Finding, "name">> {
  if (!isAsked) return { text: "(not asked; --connect does)" };
  const trouble = await question();
  return trouble === null ? { text: "and the service takes it" } : { text: `but ${trouble}`, isWrong: true };
}

const apnsFinding = ({ apns }: PushConfig, settings: Settings, connects: boolean): Promise<Finding> =>
  finding("APNs", async () => {
    if (!apns) return { text: "not set up; only for an iOS app of your own" };
    const provider = await apnsProvider(apns);
    const token = { provider: apns.testOrigin === null ? "apns_prod" : "apns_test", token: randomBytes(32).toString("hex") } as const;
    const said = await told(connects, () => ask(provider, token, settings));
    return { ...said, text: `key ${apns.keyId} of team ${apns.teamId} for ${apns.topic} ${said.text}` };
  });

const fcmFinding = ({ fcm }: PushConfig, settings: Settings, connects: boolean): Promise<Finding> =>
  finding("FCM", async () => {
    if (fcm === null) return { text: "not set up; only for an Android app of your own" };
    const provider = await fcmProvider(fcm);
    const said = await told(connects, () => ask(provider, { provider: "fcm", token: "nobody" }, settings));
    return { ...said, text: `a service account ${said.text}` };
  });

const webFinding = ({ vapidKey, contact }: PushConfig): Promise<Finding> =>
  finding("Web Push", async () => {
    const { publicKey } = await readVapid(vapidKey ?? (await makeVapidKeys()).privateKey, contact);
    return { text: vapidKey === null ? "ready, with the key that the relay makes and keeps" : `ready, with ${publicKey}` };
  });

function contactFinding({ contact }: PushConfig, { PUSH_CONTACT }: Settings): Finding {
  const hint = PUSH_CONTACT === undefined ? "  (set PUSH_CONTACT, so that push services can tell you of trouble)" : "";
  return { name: "contact", text: contact + hint };
}

async function check(settings: Settings, connects: boolean): Promise<readonly Finding[]> {
  const { push } = readConfig(settings);
  if (!push.isOn) return [{ name: "PUSH", text: "off: there is no notification server" }];
  const findings = [webFinding(push), apnsFinding(push, settings, connects), fcmFinding(push, settings, connects)];
  const isPrivate = push.endpoints.allowsPrivate;
  return [
    ...await Promise.all(findings),
    contactFinding(push, settings),
    ...(isPrivate ? [{ name: "private", text: "PUSH_PRIVATE is on: users can name addresses of this machine's network" }] : []),
  ];
}

/** Makes a key pair for Web Push, and says what the settings for pushes amount to. */
export async function pushCommand(args: readonly string[]): Promise<void> {
  const { values, positionals: [action = "", ...rest] } = parseCommandLine(args, OPTIONS);
  if (rest.length > 0) throw new UsageError(`push ${action} takes no '${rest.join(" ")}'`);
  switch (action) {
    case "keys":
      process.stdout.write(await keys(values.json));
      return;
    case "check": {
      const findings = await check(localSettings(process.env), values.connect);
      const width = Math.max(...findings.map(({ name }) => name.length)) + 2;
      for (const { name, text } of findings) process.stdout.write(`${name.padEnd(width)}${text}\n`);
      if (findings.some(({ isWrong }) => isWrong)) process.exitCode = 1;
      return;
    }
    default:
      throw new UsageError("say push keys or check");
  }
}
