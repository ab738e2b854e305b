import { computed, signal } from "@preact/signals";
import type { FileOptions } from "../../chat/messages.ts";
import type { MessageItem } from "../../chat/records.ts";
import type { MsgContent } from "../../chat/wire/content.ts";
import { canEdit } from "../../chat/wire/rules/limits.ts";
import { MAX_SENT_MENTIONS, mentionedNames } from "../../chat/wire/rules/mentions.ts";
import { type Attachment, prepare } from "./attachment.ts";
import type { Talk } from "./talk.ts";
import { explain } from "./trouble.ts";

const KEPT_AFTER = 500;

/** What is being written in a conversation. */
export class Composer {
  readonly text = signal("");
  /** The message that is answered. */
  readonly reply = signal<MessageItem | null>(null);
  /** The own message that is changed. */
  readonly editing = signal<MessageItem | null>(null);
  readonly attachment = signal<Attachment | null>(null);
  readonly isPreparing = signal(false);
  /** Why what is there cannot be sent. */
  readonly trouble = signal<string | null>(null);
  readonly isEmpty = computed(() => this.text.value.trim() === "" && this.attachment.value === null);
  readonly #talk: Talk;
  #kept = "";
  #isRestored = false;
  /** What was typed before an earlier message was taken to be changed. */
  #aside = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  restore(draft: string): void {
    this.#kept = draft;
    this.#isRestored = true;
    if (this.text.peek() === "") this.text.value = draft;
  }

  type(text: string): void {
    this.text.value = text;
    this.trouble.value = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#talk.app.attempt(() => this.keep()), KEPT_AFTER);
  }

  /** Stores what was typed, to be there when the conversation is opened again. */
  async keep(): Promise<void> {
    clearTimeout(this.#timer);
    const draft = this.editing.peek() ? this.#aside : this.text.peek();
    if (!this.#isRestored || draft === this.#kept) return;
    this.#kept = draft;
    await this.#talk.app.chat.history.setDraft(this.#talk.chat, draft);
  }

  answer(item: MessageItem): void {
    this.leaveEdit();
    this.reply.value = item;
  }

  edit(item: MessageItem): void {
    if (!this.editing.value) this.#aside = this.text.value;
    this.reply.value = null;
    this.attachment.value = null;
    this.trouble.value = null;
    this.editing.value = item;
    this.text.value = item.body.container.content.text;
  }

  leaveEdit(): void {
    if (!this.editing.value) return;
    this.editing.value = null;
    this.trouble.value = null;
    this.text.value = this.#aside;
  }

  /** The last own message that can still be changed, taken to do so. False: there is none. */
  editLast(): boolean {
    const now = Date.now();
    const isNotes = this.#talk.line.value?.conversation.kind === "notes";
    const last = this.#talk.items.value.findLast((item): item is MessageItem =>
      item.isOwn && item.body.type === "message" && item.deletedAt === null && !item.body.container.forward
      && (isNotes || canEdit(item.sentAt, now)));
    if (last) this.edit(last);
    return last !== undefined;
  }

  /** Takes a file that was picked, dropped or pasted. */
  async attach(file: File): Promise<void> {
    this.leaveEdit();
    this.trouble.value = null;
    this.isPreparing.value = true;
    try {
      this.detach();
      this.attachment.value = await prepare(file);
    } catch (error) {
      this.trouble.value = explain(error);
    } finally {
      this.isPreparing.value = false;
    }
  }

  detach(): void {
    const { url } = this.attachment.value ?? {};
    if (url !== undefined) URL.revokeObjectURL(url);
    this.attachment.value = null;
  }

  /** Hands over what is there. What cannot be sent stays, and `trouble` says why. */
  async send(): Promise<boolean> {
    if (this.isEmpty.value || this.isPreparing.value) return false;
    const text = this.text.value;
    const [attachment, reply, editing] = [this.attachment.value, this.reply.value, this.editing.value];
    // The next message can be typed at once.
    this.text.value = editing ? this.#aside : "";
    this.attachment.value = null;
    this.reply.value = null;
    this.editing.value = null;
    this.trouble.value = null;
    try {
      if (editing) await this.#change(editing, text.trim());
      else await this.#say(text.trim(), attachment, reply);
      if (attachment?.url !== undefined) URL.revokeObjectURL(attachment.url);
      await this.keep();
      return true;
    } catch (error) {
      if (editing) this.edit(editing);
      // What was typed meanwhile stays too.
      this.text.value = [text, editing ? "" : this.text.value].filter((one) => one !== "").join("\n");
      this.attachment.value = attachment;
      this.reply.value = reply;
      this.trouble.value = explain(error);
      return false;
    }
  }

  async sendVoice(attachment: Attachment): Promise<void> {
    const reply = this.reply.value;
    this.reply.value = null;
    this.trouble.value = null;
    try {
      await this.#say("", attachment, reply);
    } catch (error) {
      this.reply.value = reply;
      this.trouble.value = explain(error);
    }
  }

  async #change(item: MessageItem, text: string): Promise<void> {
    const { content } = item.body.container;
    if (content.text === text || content.type === "unknown") return;
    await this.#talk.app.chat.messages.edit(item.id, { ...content, text });
  }

  async #say(text: string, attachment: Attachment | null, reply: MessageItem | null): Promise<void> {
    const mentions = this.#mentioned(text);
    const options: FileOptions = {
      ...(reply && { quote: reply.id }),
      ...(attachment?.file && { file: attachment.file }),
      ...(mentions.length > 0 && { mentions }),
    };
    const content: MsgContent = attachment ? attachment.content(text) : { type: "text", text };
    await this.#talk.app.chat.messages.send(this.#talk.chat, content, options);
    await this.#talk.toLatest();
  }

  /** Members of the group whom the text names. */
  #mentioned(text: string): string[] {
    const names = mentionedNames(text);
    if (names.length === 0) return [];
    const members = [...this.#talk.members.value.values()];
    return members.filter(({ name }) => names.includes(name)).slice(0, MAX_SENT_MENTIONS).map(({ id }) => id);
  }
}
