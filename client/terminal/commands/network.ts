import { renderUnicodeCompact } from "uqr";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import { isProxyMode, PROXY_MODES } from "../options.ts";
import { findRelay, formatRelay } from "../relays.ts";
import type { Session } from "../session.ts";
import { cyan, green, line } from "../text/styled.ts";
import { commandsOf } from "./command.ts";

async function network(session: Session, typed: Scanner): Promise<void> {
  const { profile } = session;
  if (typed.isDone) {
    const ups = session.connected.size === 0 ? "none" : [...session.connected].join(", ");
    session.say(
      `connected to: ${ups}`,
      "receiving at:",
      ...profile.relays.map((one) => line("  ", cyan(formatRelay(one)))),
      line(`relays of others through your own: ${profile.settings.proxy}`),
      line(green(`/network smp-proxy=${PROXY_MODES.join("|")}`), " changes that, ", green("/smp"), " the relays"),
    );
    return;
  }
  const mode = /^smp-proxy=(\S+)$/u.exec(typed.text())?.[1];
  if (mode === undefined || !isProxyMode(mode)) throw new TypedError(`say /network smp-proxy=${PROXY_MODES.join("|")}`);
  await profile.set({ proxy: mode });
  await session.restart();
  session.say(`relays of others through your own: ${mode}`);
}

async function relays(session: Session, typed: Scanner): Promise<void> {
  const text = typed.text();
  if (text === "") {
    session.say(
      ...session.profile.settings.relays.map((one) => line(cyan(one))),
      line(green("/smp <relay> [<relay>...]"), " receives new connections elsewhere: smp://..., the URL of a page, or local"),
    );
    return;
  }
  // The WebSocket of a relay stands behind its address.
  const given = text.split(/[\s,]+(?=smp:|https?:|local\b)/u);
  const found = await Promise.all(given.map(findRelay));
  await session.profile.setRelays(found);
  session.say("new connections are received there; those that exist stay where they are (/switch moves one):", ...found.map((one) => line("  ", cyan(formatRelay(one)))));
}

/** QR codes stay readable on a terminal up to about this many characters. */
const MAX_QR = 600;

async function picture(session: Session, typed: Scanner): Promise<void> {
  const given = typed.text();
  const text = given === "" ? session.lastLink : given;
  if (text === null || text === "") throw new TypedError("there is no link yet: /c, /ad or /create link make one");
  if (text.length > MAX_QR) throw new TypedError("this link is too long for a picture");
  // What is light is drawn, border and all: it is right where letters are light on dark.
  const rows = renderUnicodeCompact(text, { border: 2 });
  session.say(...rows.split("\n"));
}

export const NETWORK_COMMANDS = commandsOf(
  "network",
  { name: "network", also: ["net"], usage: "[smp-proxy=always|unknown|unprotected|never]", says: "connections, and how relays of others are reached", run: network },
  { name: "smp", usage: "[<relay>...]", says: "relays to receive new connections at", run: relays },
  { name: "qr", usage: "[<link>]", says: "the last link as a picture", run: picture },
);
