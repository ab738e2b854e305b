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

const joined = (...texts: readonly string[]): string => texts.filter((one) => one !== "").join("\n");

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
  #talk: Talk;
  #kept = "";
  /** What is being handed over. */
  readonly #underWay = new Set<{ readonly text: string }>();
  #isForgotten = false;
  #isRestored = false;
  /** What was typed before an earlier message was taken to be changed. */
  #aside = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  /** The conversation was opened again. */
  reopen(talk: Talk): void {
    this.#talk = talk;
  }

  restore(draft: string): void {
    const isOwn = draft === this.#kept;
    this.#kept = draft;
    this.#isRestored = true;
    if (!isOwn && this.text.peek() === "" && !this.editing.peek()) this.text.value = draft;
  }

  /** Whether the draft that is stored is all there is. */
  get isKept(): boolean {
    const has = [this.reply, this.editing, this.attachment].some((one) => one.peek() !== null);
    return !has && !this.isPreparing.peek() && this.#underWay.size === 0 && this.text.peek() === this.#kept;
  }

  /** Nothing is left of it. */
  forget(): void {
    this.#isForgotten = true;
    clearTimeout(this.#timer);
    this.detach();
    this.text.value = "";
    this.reply.value = null;
    this.editing.value = null;
    this.#aside = "";
  }

  type(text: string): void {
    this.text.value = text;
    this.trouble.value = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#talk.app.attempt(() => this.keep()), KEPT_AFTER);
  }

  /**
   * Stores what was typed, to be there when the conversation is opened again; with what is being handed over, as
   * that may fail when nobody is here any more.
   */
  async keep(): Promise<void> {
    clearTimeout(this.#timer);
    const typed = this.editing.peek() ? this.#aside : this.text.peek();
    const draft = joined(...[...this.#underWay].map(({ text }) => text), typed);
    if (!this.#isRestored || this.#isForgotten || draft === this.#kept) return;
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
    this.detach();
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
      if (this.#isForgotten) this.detach();
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
    return editing
      ? this.#handOver("", () => this.#change(editing, text.trim()), () => {
        this.edit(editing);
        this.text.value = text;
      })
      : this.#handOver(text, () => this.#say(text.trim(), attachment, reply), () => {
        this.#giveBack(attachment, reply);
        // What was typed meanwhile stays too.
        this.text.value = joined(text, this.text.value);
      }, attachment);
  }

  async sendVoice(attachment: Attachment): Promise<void> {
    const reply = this.reply.value;
    this.reply.value = null;
    const giveBack = (): void => this.#giveBack(attachment, reply);
    await this.#handOver("", () => this.#say("", attachment, reply), giveBack, attachment);
  }

  /** @param undo puts back what could not be handed over */
  async #handOver(
    text: string,
    action: () => Promise<void>,
    undo: () => void,
    attachment: Attachment | null = null,
  ): Promise<boolean> {
    const { app } = this.#talk;
    const own = { text };
    this.trouble.value = null;
    this.#underWay.add(own);
    try {
      await action();
    } catch (error) {
      this.#underWay.delete(own);
      await this.#failed(error, undo);
      return false;
    }
    this.#underWay.delete(own);
    if (attachment?.url !== undefined) URL.revokeObjectURL(attachment.url);
    // It was sent, even if these fail.
    if (!this.#isForgotten) {
      await Promise.all([app.attempt(() => this.keep()), app.attempt(() => this.#talk.toLatest())]);
    }
    return true;
  }

  async #failed(error: unknown, undo: () => void): Promise<void> {
    const { app } = this.#talk;
    if (this.#isForgotten) return app.questions.tell(explain(error), { isTrouble: true });
    undo();
    this.trouble.value = explain(error);
    if (app.talk.peek()?.composer === this) return;
    // Somebody looks at something else.
    app.questions.tell(explain(error), { isTrouble: true });
    await app.attempt(() => this.keep());
  }

  #giveBack(attachment: Attachment | null, reply: MessageItem | null): void {
    this.leaveEdit();
    if (attachment) this.detach();
    this.attachment.value ??= attachment;
    this.reply.value = reply ?? this.reply.value;
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
  }

  /** Members of the group whom the text names. */
  #mentioned(text: string): string[] {
    const names = mentionedNames(text);
    if (names.length === 0) return [];
    const members = [...this.#talk.members.value.values()];
    return members.filter(({ name }) => names.includes(name)).slice(0, MAX_SENT_MENTIONS).map(({ id }) => id);
  }
}

/** What is being written, in each conversation: what cannot be stored is there until one comes back. */
export class Composers {
  readonly #all = new Map<string, Composer>();

  of(talk: Talk): Composer {
    const before = this.#all.get(talk.chat);
    before?.reopen(talk);
    const composer = before ?? new Composer(talk);
    this.#all.set(talk.chat, composer);
    return composer;
  }

  /** Stores what can be. */
  async leave({ chat, composer }: Talk): Promise<void> {
    await composer.keep();
    if (composer.isKept && this.#all.get(chat) === composer) this.#all.delete(chat);
  }

  forget(): void {
    for (const composer of this.#all.values()) composer.forget();
    this.#all.clear();
  }
}
