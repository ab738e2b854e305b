import { describe, expect, it } from "vitest";
import type { KnownEvent } from "../../client/chat/wire/event.ts";
import { Talker } from "../scenario/chat/talker.ts";
import { linkIn, PATIENT, stage } from "./support/stage.ts";
import { hasTmux } from "./support/tmux.ts";

/** Everything that would move the cursor, name the window, ring, turn letters around, or begin a line of its own. */
const EVIL = "\u001b[2J\u001b[1;1H\u001b]0;owned\u0007\u009b31m\u001b]8;;http://evil\u0007\u202eevil\u2066\r\u0008\u0000\u007f\u2028x\u200b\ud800";
const OBEYED = /(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u;
const ESC = String.fromCodePoint(27);
const COLOUR = new RegExp(`${ESC}\\[[\\d;]*m`, "gu");

describe.skipIf(!hasTmux)("a hostile contact", { timeout: PATIENT }, () => {
  const { chat, relay } = stage();

  it("cannot do anything to the terminal by a name, a text, a file or what is not known", async () => {
    const window = await chat("alice", { columns: 100, rows: 40 });
    const mallory = await new Talker("mallory", [relay().info]).start();
    const title = window.title();
    window.enter("/c");
    const link = linkIn(await window.shows("give this invitation"));
    await mallory.chat.links.connect(mallory.user.id, link);
    await window.shows("mallory: contact is connected");
    const contact = await mallory.friend("alice");
    const send = (event: KnownEvent): Promise<void> => {
      return mallory.chat.contacts.signal(contact.id, event);
    };
    const text = { type: "text", text: EVIL } as const;
    await send({ type: "x.msg.new", params: { content: text } });
    await send({ type: "x.msg.new", params: { content: { type: "file", text: EVIL }, file: { fileName: EVIL, fileSize: 10 } } });
    await send({ type: "x.msg.new", params: { content: { type: "link", text: EVIL, preview: { uri: EVIL, title: EVIL, description: EVIL, image: EVIL } } } });
    await send({ type: "x.msg.new", params: { content: { type: "text", text: `${"a\n".repeat(50)}\u001b[31m` } } });
    await send({ type: "x.info", params: { profile: { displayName: `${EVIL}\n> /d @bob`, fullName: EVIL, shortDescr: EVIL } } });
    await send({ type: "x.msg.new", params: { content: { type: "text", text: "the end" } } });
    await window.shows(/> the end$/mu);
    window.enter("/contacts");
    window.enter("/chats");
    window.type("/i @");
    window.press("Tab", "Enter");
    await window.shows("security code");
    const seen = window.coloured();
    // Colours are ours; nothing else that a terminal obeys is left.
    expect(seen.replaceAll(COLOUR, "")).not.toMatch(OBEYED);
    expect(window.title()).toBe(title);
    // The screen was not emptied.
    expect(window.text()).toContain("you are alice");
    expect(window.text()).toContain("␛[2J");
    await mallory.stop();
  });
});
