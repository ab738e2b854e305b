import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";

/** The command line is not understood; the message tells what is. */
export class CommandLineError extends Error {
  override readonly name = "CommandLineError";
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Options of every command that opens a profile. */
export const COMMON = {
  db: { type: "string" },
  user: { type: "string" },
  relay: { type: "string", multiple: true },
  proxy: { type: "string" },
  "passphrase-file": { type: "string" },
  "passphrase-fd": { type: "string" },
} as const;

type Options = NonNullable<ParseArgsConfig["options"]>;

/** `parseArgs` whose mistakes are told as such. @throws CommandLineError */
export function parseOptions<T extends Options>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new CommandLineError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

export interface CommonValues {
  readonly db?: string | undefined;
  readonly user?: string | undefined;
  readonly relay?: readonly string[] | undefined;
  readonly proxy?: string | undefined;
  readonly "passphrase-file"?: string | undefined;
  readonly "passphrase-fd"?: string | undefined;
}

export const PROXY_MODES = ["always", "unknown", "unprotected", "never"] as const;
export type ProxyMode = (typeof PROXY_MODES)[number];

/** What a command says of the profile that it works with. */
export interface ProfileChoice {
  readonly folder: string;
  /** Null: the active one, or the only one. */
  readonly user: string | null;
  /** As they were given; none: those of the profile. */
  readonly relays: readonly string[];
  readonly proxy: ProxyMode | null;
  readonly passphraseFile: string | null;
  readonly passphraseFd: number | null;
  /** From the environment. */
  readonly passphrase: string | null;
}

const orNull = (text: string | undefined): string | null => (text === undefined || text === "" ? null : text);

/** `$XDG_DATA_HOME/smp-edge/chat`; on Windows in the folder for programs' data. */
export function defaultFolder(environment: Environment): string {
  const windows = process.platform === "win32" ? orNull(environment["LOCALAPPDATA"]) : null;
  const base = orNull(environment["XDG_DATA_HOME"]) ?? windows ?? join(homedir(), ".local", "share");
  return join(base, "smp-edge", "chat");
}

/** @throws CommandLineError */
export function isProxyMode(text: string): text is ProxyMode {
  return (PROXY_MODES as readonly string[]).includes(text);
}

/** @throws CommandLineError */
export function chooseProfile(values: CommonValues, environment: Environment): ProfileChoice {
  const { proxy, relay = [] } = values;
  const fd = orNull(values["passphrase-fd"]);
  if (fd !== null && !/^\d{1,4}$/u.test(fd)) throw new CommandLineError(`--passphrase-fd must be a number, not '${fd}'`);
  if (proxy !== undefined && !isProxyMode(proxy)) {
    throw new CommandLineError(`--proxy must be one of ${PROXY_MODES.join(", ")}, not '${proxy}'`);
  }
  const given = relay.length > 0 ? relay : (orNull(environment["SMP_EDGE_RELAY"])?.split(/\n/u) ?? []);
  return {
    folder: orNull(values.db) ?? orNull(environment["SMP_EDGE_DB"]) ?? defaultFolder(environment),
    user: orNull(values.user) ?? orNull(environment["SMP_EDGE_USER"]),
    relays: given.map((one) => one.trim()).filter((one) => one !== ""),
    proxy: proxy ?? null,
    passphraseFile: orNull(values["passphrase-file"]),
    passphraseFd: fd === null ? null : Number(fd),
    passphrase: environment["SMP_EDGE_PASSPHRASE"] ?? null,
  };
}

/** @throws CommandLineError unless it is a whole number from `least` */
export function parseNumber(option: string, text: string, least = 1): number {
  if (!/^\d{1,9}$/u.test(text) || Number(text) < least) {
    throw new CommandLineError(`--${option} must be a whole number from ${least}, not '${text}'`);
  }
  return Number(text);
}
