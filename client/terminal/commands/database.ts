import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { commandsOf } from "./command.ts";

/** A passphrase that was typed with the command, or is asked for. @throws TypedError when there is none */
async function read(session: Session, typed: Scanner, question: string): Promise<string> {
  const word = typed.word();
  const passphrase = word === "" ? await session.face.ask(question, true) : word;
  if (passphrase === null || passphrase === "") throw new TypedError("no passphrase, and nothing was changed");
  return passphrase;
}

/** A new passphrase is typed twice, where nobody sees it. */
async function readNew(session: Session, typed: Scanner): Promise<string> {
  const isGiven = !typed.isDone;
  const passphrase = await read(session, typed, "New passphrase: ");
  if (isGiven) return passphrase;
  const again = await session.face.ask("Once more: ", true);
  if (again !== passphrase) throw new TypedError("the two are not the same, and nothing was changed");
  return passphrase;
}

async function encrypt(session: Session, typed: Scanner): Promise<void> {
  if (await session.profile.isSealed()) throw new TypedError("the profile is encrypted already; /db key changes the passphrase");
  const passphrase = await readNew(session, typed);
  typed.end();
  await session.around(() => session.profile.addPassphrase(passphrase));
  session.say("the profile is encrypted; without the passphrase nobody can open it, nor can you");
}

async function key(session: Session, typed: Scanner): Promise<void> {
  const old = await read(session, typed, "Passphrase: ");
  const passphrase = await readNew(session, typed);
  typed.end();
  await session.profile.changePassphrase(old, passphrase);
  session.say("the passphrase is changed");
}

async function decrypt(session: Session, typed: Scanner): Promise<void> {
  const passphrase = await read(session, typed, "Passphrase: ");
  typed.end();
  await session.around(() => session.profile.removePassphrase(passphrase));
  session.say("the profile is no longer encrypted");
}

export const DATABASE_COMMANDS = commandsOf(
  "db",
  { name: "db encrypt", usage: "[<passphrase>]", says: "encrypt the profile; without it you are asked, and nobody sees it", run: encrypt },
  { name: "db key", usage: "[<old> <new>]", says: "change the passphrase", run: key },
  { name: "db decrypt", usage: "[<passphrase>]", says: "encrypt it no longer", run: decrypt },
);
