import type { Address } from "../../chat/records.ts";
import type { Profile } from "../../chat/wire/profile.ts";
import { displayText } from "../../chat/wire/rules/display.ts";
import { namesOfRequests } from "../book.ts";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { cyan, dim, green, type Line, line } from "../text/styled.ts";
import { preview, shownName, shownTime } from "../view/words.ts";
import { commandsOf } from "./command.ts";

function addressLines(session: Session, { link, shortLink, autoAccept, incognito, welcome }: Address): Line[] {
  const best = shortLink ?? link;
  session.lastLink = best;
  const mode = autoAccept ? `requests are accepted without asking${incognito ? ", incognito" : ""}` : "requests wait for /ac or /rc";
  return [
    line(cyan(best)),
    line(""),
    line("anybody can ask to connect with ", green("/c <address>"), "; ", green("/qr"), " shows it as a picture, ", green("/da"), " deletes it"),
    line(mode, welcome === null ? "" : `; welcome: ${displayText(welcome.text)}`),
    ...(shortLink === null ? [] : [line(dim("for clients that do not know short links:")), line(dim(link))]),
  ];
}

async function create(session: Session, typed: Scanner): Promise<void> {
  typed.end();
  const address = await session.chat.links.createAddress(session.user.id);
  session.say("your new address:", "", ...addressLines(session, address));
}

async function current(session: Session): Promise<Address> {
  const address = await session.chat.links.address(session.user.id);
  if (!address) throw new TypedError("you have no address; /ad makes one");
  return address;
}

async function show(session: Session, typed: Scanner): Promise<void> {
  typed.end();
  session.say("your address:", "", ...addressLines(session, await current(session)));
}

async function remove(session: Session, typed: Scanner): Promise<void> {
  typed.end();
  await session.chat.links.deleteAddress(session.user.id);
  session.say("your address is deleted; contacts who came through it stay");
}

async function setAutoAccept(session: Session, typed: Scanner): Promise<void> {
  const word = typed.word();
  if (word !== "on" && word !== "off") throw new TypedError("say /auto_accept on [incognito=on] [<welcome text>], or off");
  const incognito = typed.takes("incognito=on");
  if (!incognito) typed.takes("incognito=off");
  typed.takes("text");
  const text = typed.text();
  const { id } = session.user;
  await session.chat.links.setAddress(id, { autoAccept: word === "on", incognito, ...(text !== "" && { welcome: text }) });
  session.say(`auto_accept ${word}${incognito ? ", incognito" : ""}`);
}

async function requests(session: Session, typed: Scanner): Promise<void> {
  typed.end();
  const all = await session.chat.links.requests(session.user.id);
  if (all.length === 0) return session.say("nobody asks to connect");
  const names = namesOfRequests(all);
  session.say(...all.map(({ at, message }, index) => {
    const name = shownName(names[index] ?? "");
    const said = message === null ? "" : `: ${preview(message.content.text)}`;
    return line(dim(`${shownTime(at, Date.now())} `), cyan(name), said, "  ", green(`/ac ${name}`), " or ", green(`/rc ${name}`));
  }));
}

async function accept(session: Session, typed: Scanner): Promise<void> {
  const incognito = typed.takes("incognito") || typed.takes("i");
  typed.skip();
  typed.take(/^@/u);
  const request = await session.book.request(session.user, typed.name("who asks"));
  typed.end();
  const contact = await session.chat.links.accept(request.id, { incognito });
  session.say(`${shownName(contact.name)}: accepting the request...`);
}

async function reject(session: Session, typed: Scanner): Promise<void> {
  typed.skip();
  typed.take(/^@/u);
  const name = typed.name("who asks");
  typed.end();
  await session.chat.links.reject((await session.book.request(session.user, name)).id);
  session.say(`${shownName(name)}: request rejected (nobody is told)`);
}

// A field that is given as undefined overwrites the one that is there.
const WITHOUT_LINK = { contactLink: undefined } as unknown as Partial<Profile>;

/** The address in the profile, so that contacts can pass it on. */
async function share(session: Session, typed: Scanner): Promise<void> {
  const word = typed.word();
  if (word !== "on" && word !== "off") throw new TypedError("say /profile_address on, or off");
  const { users } = session.chat;
  if (word === "off") {
    session.setUser(await users.update(session.user.id, WITHOUT_LINK));
  } else {
    const { link, shortLink } = await current(session);
    session.setUser(await users.update(session.user.id, { contactLink: shortLink ?? link }));
  }
  session.say(word === "on" ? "your contacts see your address in your profile" : "your profile no longer shows your address");
}

export const ADDRESS_COMMANDS = commandsOf(
  "address",
  { name: "address", also: ["ad"], usage: "", says: "make an address through which anybody can ask to connect", run: create },
  { name: "show_address", also: ["sa"], usage: "", says: "show it", run: show },
  { name: "delete_address", also: ["da"], usage: "", says: "delete it; contacts stay", run: remove },
  { name: "auto_accept", takes: ["onOff", "text"], usage: "on [incognito=on] [<welcome text>] | off", says: "accept requests without asking, and what to say to them", run: setAutoAccept },
  { name: "profile_address", also: ["pa"], takes: ["onOff"], usage: "on|off", says: "put the address into your profile", run: share },
  { name: "requests", usage: "", says: "who asks to connect", run: requests },
  { name: "accept", also: ["ac"], takes: ["request"], usage: "[incognito] name", says: "accept a request", run: accept },
  { name: "reject", also: ["rc"], takes: ["request"], usage: "name", says: "reject a request; nobody is told", run: reject },
);
