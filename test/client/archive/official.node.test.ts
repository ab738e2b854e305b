import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { base64url, concat, fromUtf8, hex, utf8 } from "#crypto/bytes";
import { boxNoPad } from "#crypto/box";
import { encodePublicKey, encodeSecretKey } from "#crypto/keys";
import { encode, large } from "#protocol/codec";
import type { OfficialConnection } from "../../../client/archive/official/agent-types.ts";
import { generateE2eKeys } from "../../../client/ratchet/agree.ts";
import { decrypt } from "../../../client/ratchet/decrypt.ts";
import { encryptBody, encryptHeader } from "../../../client/ratchet/encrypt.ts";
import { ratchetToOfficial } from "../../../client/ratchet/official-state.ts";
import { AGENT, changedSample, filesOf, openSample, PASSPHRASE, sampleManifest, sampleZip, select } from "./support/official.ts";
import { bytesOf, codeOf, listOf } from "./support/collect.ts";

describe.each(["plain", "encrypted"] as const)("the %s archive of an official program", (kind) => {
  const zip = sampleZip(kind);
  const manifest = sampleManifest(kind);
  const archive = openSample(zip, kind === "encrypted" ? { passphrase: PASSPHRASE } : {});

  it("holds the files that its manifest names, whole", async () => {
    const files = await filesOf(zip);
    const digests = [...files].map(([name, bytes]) => ({ name, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }));
    expect(digests).toEqual(manifest.entries.map(({ name, size, sha256 }) => ({ name, size, sha256 })));
    const { file, files: listed, isEncrypted, checkFiles, migrations } = await archive;
    expect(isEncrypted).toBe(kind === "encrypted");
    expect(migrations).toEqual({ chat: manifest.chatMigrations[0]?.last, agent: manifest.agentMigrations[0]?.last });
    expect(await checkFiles()).toEqual([]);
    for (const { name, size } of listed) expect((await bytesOf(file(name))).length).toBe(size);
  });

  it("has its profiles and contacts", async () => {
    const { chat } = await archive;
    const users = await chat.users();
    expect(users.map(({ profile, isActive }) => [profile.displayName, profile.fullName, isActive])).toEqual(
      manifest.user.map(({ display_name: name, full_name: full, active_user: active }) => [name, full, active === 1]),
    );
    const contacts = await listOf(chat.contacts());
    expect(contacts.map(({ id, name, profile, status }) => [id, name, profile.displayName, status])).toEqual(
      manifest.contacts
        .filter(({ is_user: isUser }) => isUser === 0)
        .map((contact) => [contact.contact_id, contact.local_display_name, contact.display_name, contact.contact_status]),
    );
    const bob = contacts.find(({ name }) => name === "bob");
    expect(bob?.profile.preferences).toMatchObject({ fullDelete: { allow: "no" }, files: { allow: "always" }, commands: [] });
    expect(bob).toMatchObject({ connectionStatus: "ready", version: { current: 16, min: 1, max: 16 } });
    expect(chat.notUnderstood.size).toBe(0);
  });

  it("has every item of the conversation, with what it says and how far it came", async () => {
    const { chat } = await archive;
    const items = await listOf(chat.items());
    expect(
      items.map((item) => ({
        id: item.id,
        own: item.isOwn ? 1 : 0,
        text: item.text,
        chat: item.chat.id,
        msgId: item.msgId && hex(Uint8Array.from(atob(item.msgId.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))),
        at: item.sentAt,
      })),
    ).toEqual(
      manifest.chatItems.map((item) => ({
        id: item["chat_item_id"],
        own: item["item_sent"],
        text: item["item_text"],
        chat: item["contact_id"],
        msgId: item["shared_msg_id"],
        at: Date.parse(`${String(item["item_ts"]).slice(0, 23).replace(" ", "T")}Z`),
      })),
    );
    const messages = items.flatMap(({ id, body }) => (body.type === "message" ? [[id, body.container.content]] : []));
    const expected = manifest.messageContents.map(({ chat_item_id: id, item_content: json }) => [id, Object.values(JSON.parse(json) as object)[0].msgContent]);
    expect(messages).toEqual(expected);
    expect(items.map(({ status }) => status.type)).toEqual(
      manifest.chatItems.map((item) => ({ snd_new: "new", rcv_read: "read", rcv_new: "unread" })[String(item["item_status"])] ?? "delivered"),
    );
    const [file] = manifest.files;
    expect(items.at(-1)?.file).toMatchObject({ name: file?.file_name, path: file?.file_path, size: file?.file_size, status: file?.ci_file_status, crypto: null });
  });

  it("has the connection with its queues and all their keys", async () => {
    const [connection, ...others] = await listOf((await archive).agent.connections());
    expect(others).toEqual([]);
    const bob = (await listOf((await archive).chat.contacts())).find(({ name }) => name === "bob");
    expect(connection).toMatchObject({ id: bob?.connection, kind: "connection", agentVersion: 7, pq: true, sync: "ok", isDeleted: false });
    const [receive] = connection?.receive ?? [];
    const [send] = connection?.send ?? [];
    expect(receive).toMatchObject({ isPrimary: true, mode: "messaging", status: "active", replaces: null, rotation: null });
    expect(`${receive?.server.hosts.join(",")}:${receive?.server.port}`).toBe(manifest.agentRcvQueues[0]?.servers);
    expect([receive?.rcvId.length, receive?.sndId.length, receive?.rcvDhSecret.length, receive?.e2eSecret?.length]).toEqual([24, 24, 32, 32]);
    expect(send).toMatchObject({ isPrimary: true, mode: "messaging", status: "active" });
    expect(receive?.link?.linkKey.length).toBe(32);
  });

  it("has the ratchet, which goes on where it stopped", async () => {
    const [connection] = await listOf((await archive).agent.connections());
    const state = connection?.ratchet?.state;
    if (state === undefined) throw new Error("no ratchet");
    if (state.snd === null) throw new Error("nothing can be sent");
    const { state: next, key } = encryptHeader(state);
    expect(next.ns).toBe(state.ns + 1);
    const message = encryptBody(key, utf8("hello again"), 13_618);
    // What the contact has of it: the other end of the sending chain.
    const { chainKey, headerKey } = state.snd;
    const contact = { ...state, rcv: { chainKey, headerKey }, nr: state.ns };
    expect(decrypt(contact, [], message).result).toEqual({ ok: true, plaintext: utf8("hello again") });
  });

  it("tells what cannot be carried", async () => {
    const leftovers = await (await archive).leftovers();
    expect(leftovers.map(({ kind: what, count }) => [what, count])).toEqual([["searches for contacts who are members too", 1]]);
  });
});

describe("the agent's side", () => {
  it("is what the real SQLite reads, to the byte", async () => {
    const database = (await filesOf(sampleZip("plain"))).get(AGENT) ?? new Uint8Array();
    const [connection] = await listOf((await openSample(sampleZip("plain"))).agent.connections());
    const [row] = select(database, "SELECT * FROM rcv_queues");
    const [snd] = select(database, "SELECT * FROM snd_queues");
    const [ratchet] = select(database, "SELECT ratchet_state FROM ratchets");
    const [receive] = connection?.receive ?? [];
    const [send] = connection?.send ?? [];
    if (!receive || !send || !connection?.ratchet) throw new Error("no queues");
    expect(encodeSecretKey(receive.authKey)).toEqual(row?.["rcv_private_key"]);
    expect(encodeSecretKey(receive.dhKeys.secretKey)).toEqual(row?.["e2e_priv_key"]);
    expect([receive.rcvId, receive.sndId, receive.rcvDhSecret]).toEqual([row?.["rcv_id"], row?.["snd_id"], row?.["rcv_dh_secret"]]);
    expect(receive.e2eSecret).toEqual(row?.["e2e_dh_secret"]);
    expect(encodeSecretKey(send.authKeys.secretKey)).toEqual(snd?.["snd_private_key"]);
    expect(encodePublicKey(send.authKeys.publicKey)).toEqual(snd?.["snd_public_key"]);
    expect(send.dhPublicKey && encodePublicKey(send.dhPublicKey)).toEqual(snd?.["e2e_pub_key"]);
    const stored: unknown = JSON.parse(fromUtf8(ratchet?.["ratchet_state"] as Uint8Array));
    expect(ratchetToOfficial(connection.ratchet.state)).toEqual(stored);
    const [numbers] = select(database, "SELECT * FROM connections");
    expect(connection.sent).toEqual({ number: numbers?.["last_internal_snd_msg_id"], hash: numbers?.["last_snd_msg_hash"] });
    expect(connection.received).toEqual({ number: numbers?.["last_external_snd_msg_id"], hash: numbers?.["last_rcv_msg_hash"] });
  });

  it("brings skipped keys, what was on its way and what was not acknowledged", async () => {
    const key = "zeroblob(32)";
    // Str key, Str IV; Word16 version, Str associated data, Str key, Str IV, Large header.
    const skipped = `x'20' || ${key} || x'10' || zeroblob(16)`;
    const messageKey = `x'0003' || x'70' || zeroblob(112) || x'20' || ${key} || x'10' || zeroblob(16) || x'0001' || x'05'`;
    const zip = await changedSample({
      agent: `
        INSERT INTO skipped_messages (conn_id, header_key, msg_n, msg_key) SELECT conn_id, ${key}, 7, CAST(${skipped} AS BLOB) FROM connections;
        INSERT INTO snd_message_bodies VALUES (5, x'4d0102');
        INSERT INTO messages (conn_id, internal_id, internal_ts, internal_snd_id, msg_type, msg_body) SELECT conn_id, 10, '2026-11-23 04:00:00', 7, x'4d', x'' FROM connections;
        INSERT INTO snd_messages (conn_id, internal_snd_id, internal_id, internal_hash, msg_encrypt_key, padded_msg_len, snd_message_body_id)
          SELECT conn_id, 7, 10, x'00', CAST(${messageKey} AS BLOB), 13618, 5 FROM connections;
        INSERT INTO snd_message_deliveries (conn_id, snd_queue_id, internal_id) SELECT conn_id, 1, 10 FROM connections;
        INSERT INTO messages (conn_id, internal_id, internal_ts, internal_rcv_id, msg_type, msg_body) SELECT conn_id, 11, '2026-11-23 04:00:01', 4, x'4d', x'aabb' FROM connections;
        INSERT INTO rcv_messages (conn_id, internal_rcv_id, internal_id, external_snd_id, broker_id, broker_ts, internal_hash, external_prev_snd_hash, integrity, rcv_queue_id)
          SELECT conn_id, 4, 11, 5, x'01', '2026-11-23 04:00:01', x'00', x'00', x'4f', 1 FROM connections;`,
    });
    const { agent } = await openSample(zip);
    const [connection] = await listOf(agent.connections());
    expect(connection?.ratchet?.skipped).toEqual([
      { headerKey: new Uint8Array(32), number: 7, key: new Uint8Array(32), iv: new Uint8Array(16), chain: 0 },
    ]);
    expect(await agent.pending()).toMatchObject([
      { connection: connection?.id, queue: 1, item: 10, sndMsgId: 7, type: "M", paddedLength: 13_618, plaintext: Uint8Array.of(0x4d, 1, 2), at: Date.UTC(2026, 10, 23, 4) },
    ]);
    expect((await agent.pending())[0]?.key).toMatchObject({ version: 3, header: Uint8Array.of(5) });
    expect(await agent.unacknowledged()).toEqual([
      { connection: connection?.id, item: 11, at: Date.UTC(2026, 10, 23, 4, 0, 1), body: Uint8Array.of(0xaa, 0xbb) },
    ]);
    expect(await listOf(agent.receivedHashes())).toHaveLength(3);
  });
});

describe("a link that nobody has used yet", () => {
  it("is carried with its keys, and an address with its queue", async () => {
    const keys = generateE2eKeys(true);
    const sql = (bytes: Uint8Array): string => `x'${hex(bytes)}'`;
    const [key1, key2] = [encodeSecretKey(keys.key1.secretKey), encodeSecretKey(keys.key2.secretKey)];
    const kem = keys.kem && concat(utf8("P"), encode(large, keys.kem.publicKey), encode(large, keys.kem.secretKey));
    const queue = (conn: string, id: string, mode: string): string => `
      INSERT INTO rcv_queues (host, port, rcv_id, conn_id, rcv_private_key, rcv_dh_secret, e2e_priv_key, snd_id, status, rcv_queue_id, rcv_primary, queue_mode)
        SELECT host, port, ${id}, CAST('${conn}' AS BLOB), rcv_private_key, rcv_dh_secret, e2e_priv_key, ${id}, 'new', 1, 1, '${mode}' FROM rcv_queues WHERE status = 'active';`;
    const zip = await changedSample({
      agent: `
        INSERT INTO connections (conn_id, conn_mode, user_id, smp_agent_version, pq_support) VALUES (CAST('aPending' AS BLOB), 'INV', 1, 7, 1), (CAST('zAddress' AS BLOB), 'CON', 1, 7, 1);
        INSERT INTO ratchets (conn_id, x3dh_priv_key_1, x3dh_priv_key_2, pq_priv_kem) VALUES (CAST('aPending' AS BLOB), ${sql(key1)}, ${sql(key2)}, ${kem ? sql(kem) : "NULL"});
        ${queue("aPending", "x'01'", "M")} ${queue("zAddress", "x'02'", "C")}`,
    });
    const { agent } = await openSample(zip);
    const connections = await listOf(agent.connections());
    expect(agent.failures).toEqual([]);
    const of = (id: string): OfficialConnection | undefined => connections.find((connection) => connection.id === id);
    expect(of("aPending")).toMatchObject({ kind: "connection", ratchet: null, linkKeys: keys, send: [], receive: [{ status: "new", mode: "messaging", e2eSecret: null }] });
    expect(of("zAddress")).toMatchObject({ kind: "address", ratchet: null, linkKeys: null, receive: [{ mode: "contact" }] });
    expect(connections.filter(({ ratchet }) => ratchet !== null)).toHaveLength(1);
  });
});

describe("the chat's side", () => {
  it("brings groups with their members, quotes, editions, reactions, notes and links", async () => {
    const now = "'2026-11-23 04:00:00'";
    const zip = await changedSample({
      chat: `
        INSERT INTO group_profiles (group_profile_id, display_name, full_name, created_at, updated_at, preferences, description)
          VALUES (1, 'team', 'The Team', ${now}, ${now}, '{"history":{"enable":"on"}}', 'welcome');
        INSERT INTO groups (group_id, user_id, local_display_name, group_profile_id, created_at, updated_at, enable_ntfs, local_alias) VALUES (1, 1, 'team', 1, ${now}, ${now}, 2, 'work');
        INSERT INTO group_members (group_member_id, group_id, member_id, member_role, member_category, member_status, user_id, local_display_name, contact_profile_id, show_messages)
          VALUES (1, 1, x'6d31', 'owner', 'user', 'creator', 1, 'alice', 1, 1), (2, 1, x'6d32', 'member', 'invitee', 'connected', 1, 'bob_1', 4, 0);
        INSERT INTO connections (agent_conn_id, conn_status, conn_type, group_member_id, user_id) VALUES (CAST('memberconn' AS BLOB), 'ready', 'member', 2, 1);
        INSERT INTO user_contact_links (conn_req_contact, user_id, auto_accept, auto_reply_msg_content) VALUES (CAST('simplex:/contact#/?v=2' AS BLOB), 1, 1, '{"type":"text","text":"hi"}');
        INSERT INTO chat_items (user_id, group_id, group_member_id, item_sent, item_ts, item_content, item_text, created_at, item_status, quoted_shared_msg_id, quoted_sent_at, quoted_content, quoted_sent, shared_msg_id)
          VALUES (1, 1, 2, 0, ${now}, '{"rcvMsgContent":{"msgContent":{"type":"text","text":"yes"}}}', 'yes', ${now}, 'rcv_read', x'01', ${now}, '{"type":"text","text":"ok?"}', 1, x'0203');
        INSERT INTO chat_items (user_id, note_folder_id, item_sent, item_ts, item_content, item_text, created_at, item_status)
          VALUES (1, 1, 1, ${now}, '{"type":"sndMsgContent","msgContent":{"type":"new kind","text":"words"}}', 'words', ${now}, 'snd_error_auth');
        INSERT INTO chat_item_versions (chat_item_id, msg_content, item_version_ts) VALUES (8, '{"type":"text","text":"before"}', ${now});
        INSERT INTO chat_item_reactions (shared_msg_id, contact_id, reaction, reaction_sent, reaction_ts) VALUES (x'0203', 4, '{"type":"emoji","emoji":"\u{1f680}"}', 1, ${now});
        INSERT INTO chat_tags (user_id, chat_tag_text, tag_order) VALUES (1, 'family', 1);
        UPDATE users SET view_pwd_hash = x'01', view_pwd_salt = x'02';
        INSERT INTO chat_items (user_id, contact_id, item_sent, item_ts, item_content, item_text, created_at, item_status, quoted_sent_at, quoted_content, quoted_sent)
          SELECT 1, 4, own, ${now}, '{"rcvMsgContent":{"msgContent":{"type":"text","text":"q"}}}', 'q', ${now}, 'rcv_read', ${now}, '{"type":"text","text":"?"}', mine
            FROM (SELECT 0 AS own, 0 AS mine UNION ALL SELECT 0, 1 UNION ALL SELECT 1, 0 UNION ALL SELECT 1, 1);
        UPDATE contacts SET user_preferences = '{"voice":{"allow":"no"}}' WHERE contact_id = 4;
        UPDATE contact_profiles SET preferences = '{"voice":{"allow":"perhaps"}}' WHERE contact_profile_id = 3;
        INSERT INTO app_settings VALUES ('{"confirmDBUpgrades":true}');`,
    });
    const archive = await openSample(zip);
    const { chat } = archive;
    const at = Date.UTC(2026, 10, 23, 4);
    expect(await listOf(chat.groups())).toMatchObject([
      { id: 1, name: "team", alias: "work", notifications: "mentions", own: { role: "owner", category: "user" }, profile: { description: "welcome", groupPreferences: { history: { enable: "on" } } } },
    ]);
    const [, member] = await listOf(chat.members());
    expect(member).toMatchObject({ group: 1, memberId: base64url(utf8("m2")), role: "member", connection: "memberconn", isBlocked: true, profile: { displayName: "bob" } });
    expect(await chat.addresses()).toMatchObject([{ link: "simplex:/contact#/?v=2", autoAccept: true, welcome: { type: "text", text: "hi" }, connection: null }]);
    const [group, note, ...quotes] = (await listOf(chat.items())).slice(10);
    // Whoever sent the quote wrote what is quoted: the contact its own, the user its own.
    expect(quotes.map(({ body }) => body.type === "message" && body.container.quote?.msgRef.sent)).toEqual([true, false, false, true]);
    expect(await chat.users()).toMatchObject([{ isHidden: true }]);
    expect(group).toMatchObject({ chat: { type: "group", id: 1 }, member: 2, body: { type: "message", container: { content: { text: "yes" }, quote: { content: { text: "ok?" }, msgRef: { msgId: "AQ==", sent: false, sentAt: "2026-11-23T04:00:00.000Z" } } } } });
    expect(note).toMatchObject({ chat: { type: "notes", id: 1 }, status: { type: "error", reason: "auth" }, body: { type: "message", container: { content: { type: "unknown", tag: "new kind" } } } });
    expect(await listOf(chat.editions())).toEqual([{ item: 8, content: { type: "text", text: "before" }, at }]);
    expect(await listOf(chat.reactions())).toMatchObject([{ chat: { type: "contact", id: 4 }, isOwn: true, reaction: { type: "emoji", emoji: "\u{1f680}" } }]);
    const contacts = await listOf(chat.contacts());
    expect(contacts.find(({ id }) => id === 4)?.preferences).toEqual({ voice: { allow: "no" } });
    expect(contacts.find(({ id }) => id === 3)?.profile).not.toHaveProperty("preferences");
    expect(chat.notUnderstood.get("preferences")).toBeGreaterThan(0);
    expect(await chat.appSettings()).toBe('{"confirmDBUpgrades":true}');
    expect((await archive.leftovers()).map(({ kind }) => kind)).toEqual(expect.arrayContaining(["hidden profiles", "chat tags"]));
  });

  it("opens files that were encrypted on the device, and verifies them first", async () => {
    const [key, nonce] = [new Uint8Array(32).fill(7), new Uint8Array(24).fill(9)];
    const content = new Uint8Array(200_001).map((_, index) => (index * 31) % 256);
    const boxed = boxNoPad(key, nonce, content);
    const tailed = new Uint8Array([...boxed.subarray(16), ...boxed.subarray(0, 16)]);
    const broken = tailed.map((byte, index) => (index === 150_000 ? byte ^ 1 : byte));
    const files = new Map([["simplex_v1_files/sealed", tailed], ["simplex_v1_files/broken", broken], ["simplex_v1_files/tiny", new Uint8Array(3)]]);
    const archive = await openSample(await changedSample({}, files));
    expect(await bytesOf(archive.file("sealed", { key, nonce }))).toEqual(content);
    expect(await bytesOf(archive.file("sealed"))).toEqual(tailed);
    let came = 0;
    const read = async (name: string): Promise<void> => {
      for await (const piece of archive.file(name, { key, nonce })) came += piece.length;
    };
    expect(await codeOf(() => read("broken"))).toBe("DAMAGED");
    expect(await codeOf(() => read("tiny"))).toBe("DAMAGED");
    expect(came).toBe(0);
    expect(await codeOf(() => read("none"))).toBe("MISSING");
  });
});
