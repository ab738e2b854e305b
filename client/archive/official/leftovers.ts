import type { Database } from "./sqlite/database.ts";

/** What an import leaves behind. */
export interface Leftover {
  readonly kind: string;
  readonly count: number;
  /** What that means, in words. */
  readonly consequence: string;
}

interface Rule {
  readonly kind: string;
  readonly tables: readonly string[];
  readonly consequence: string;
}

const CHAT: readonly Rule[] = [
  { kind: "calls", tables: ["calls"], consequence: "calls that were ringing are gone" },
  { kind: "contact requests", tables: ["contact_requests"], consequence: "those who asked have to ask again" },
  {
    kind: "linked devices",
    tables: ["remote_hosts", "remote_controllers"],
    consequence: "devices have to be linked again",
  },
  { kind: "chat tags", tables: ["chat_tags"], consequence: "chats are without their lists" },
  {
    kind: "introductions in groups",
    tables: ["group_member_intros"],
    consequence: "members who were just being introduced may not connect",
  },
  {
    kind: "messages for members who are not connected",
    tables: ["pending_group_messages"],
    consequence: "they do not get them",
  },
  {
    kind: "deletions by moderators ahead of the message",
    tables: ["chat_item_moderations"],
    consequence: "such messages are shown if they come",
  },
  {
    kind: "searches for contacts who are members too",
    tables: ["sent_probes", "received_probes"],
    consequence: "contacts and members are not merged by themselves",
  },
  {
    kind: "delivery to single members",
    tables: ["group_snd_item_statuses"],
    consequence: "who of a group got a message is not shown",
  },
];

const AGENT: readonly Rule[] = [
  { kind: "files being received", tables: ["rcv_files"], consequence: "they have to be fetched anew, or are lost" },
  {
    kind: "files being sent",
    tables: ["snd_files"],
    consequence: "they have to be sent again, and cannot be deleted from their servers",
  },
  {
    kind: "push notifications",
    tables: ["ntf_tokens", "ntf_subscriptions"],
    consequence: "they belong to the device and are set up anew",
  },
  {
    kind: "accepted links that were not answered",
    tables: ["conn_confirmations", "conn_invitations"],
    consequence: "those who used them have to try again",
  },
  { kind: "short links being opened", tables: ["inv_short_links"], consequence: "they have to be opened again" },
  {
    kind: "commands for relays",
    tables: ["commands"],
    consequence: "connections in the making or in a move to another relay may stop",
  },
];

async function counted(db: Database, rules: readonly Rule[]): Promise<Leftover[]> {
  const out: Leftover[] = [];
  for (const { kind, tables, consequence } of rules) {
    let count = 0;
    for (const table of tables) count += await db.count(table);
    if (count > 0) out.push({ kind, count, consequence });
  }
  return out;
}

async function hiddenProfiles(chat: Database): Promise<Leftover[]> {
  let count = 0;
  for await (const row of chat.rows("users")) if (row.value("view_pwd_hash") !== null) count++;
  const consequence = "they are shown like all others: the passphrase that hid them is not carried";
  return count === 0 ? [] : [{ kind: "hidden profiles", count, consequence }];
}

/** What the databases hold and no reader here hands out, by kind. @throws ArchiveError DAMAGED, READ */
export async function leftoversOf(chat: Database, agent: Database): Promise<Leftover[]> {
  return [...(await hiddenProfiles(chat)), ...(await counted(chat, CHAT)), ...(await counted(agent, AGENT))];
}
