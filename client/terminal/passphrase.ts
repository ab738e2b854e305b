import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { CommandLineError, type ProfileChoice } from "./options.ts";

/** How often a person may try. */
export const TRIES = 3;

const withoutNewline = (text: string): string => text.replace(/\r?\n$/u, "");

function fromFile(place: string | number, option: string): string {
  try {
    return withoutNewline(readFileSync(place, "utf8"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandLineError(`--${option}: the passphrase cannot be read (${why})`, { cause });
  }
}

/** The passphrase that was given with the command; null when none was. @throws CommandLineError */
export function givenPassphrase({ passphraseFile, passphraseFd, passphrase }: ProfileChoice): string | null {
  if (passphraseFile !== null) return fromFile(passphraseFile, "passphrase-file");
  if (passphraseFd !== null) return fromFile(passphraseFd, "passphrase-fd");
  return passphrase;
}

/** Asks on the terminal, showing nothing of the answer; null when there is no terminal or no answer. */
export async function askHidden(question: string): Promise<string | null> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return null;
  stderr.write(question);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: true, historySize: 0 });
  try {
    return await new Promise<string | null>((resolve) => {
      lines.once("line", resolve);
      lines.once("SIGINT", () => resolve(null));
      lines.once("close", () => resolve(null));
    });
  } finally {
    lines.close();
    stderr.write("\n");
  }
}
