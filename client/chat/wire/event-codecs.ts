import { callAnswer, callExtraInfo, callInvitation, callOffer } from "./call.ts";
import { mentions, msgContainer, msgScope, withoutEmptyMentions } from "./container.ts";
import { type MsgContent, msgContent } from "./content.ts";
import { MessageError } from "./errors.ts";
import type { ChatEvent, ContactRequest, EventName, EventParams, MessageUpdate } from "./event.ts";
import { fileDescr, fileInvitation } from "./file.ts";
import {
  acceptance,
  groupInvitation,
  groupLinkInvitation,
  groupLinkRejection,
  memberInfo,
  memberIntro,
  memberRestrictions,
} from "./group.ts";
import { type Id, id } from "./ids.ts";
import {
  bool,
  inField,
  type JsonCodec,
  type JsonObject,
  mapped,
  natural,
  object,
  optional,
  rawObject,
  text,
} from "./json.ts";
import { groupPreferences, role } from "./preferences.ts";
import { groupProfile, profile } from "./profile.ts";
import { reaction } from "./reaction.ts";
import { utcTime } from "./time.ts";

interface WireContactRequest extends Omit<ContactRequest, "message"> {
  readonly msgId?: Id;
  readonly content?: MsgContent;
}

const contactRequest: JsonCodec<ContactRequest> = mapped(
  object<WireContactRequest>({
    profile,
    contactReqId: optional(id),
    welcomeMsgId: optional(id),
    msgId: optional(id),
    content: optional(msgContent),
  }),
  ({ msgId, content, ...request }): ContactRequest =>
    msgId !== undefined && content !== undefined ? { ...request, message: { msgId, content } } : request,
  ({ message, ...request }) => ({ ...request, ...message }),
);

/** Official clients take anything but `true` for false. */
const isTrue: JsonCodec<boolean> = { read: (json) => json === true, write: (value) => value };

const memberDeletion: JsonCodec<EventParams["x.grp.mem.del"]> = mapped(
  object<{ readonly memberId: Id; readonly messages?: boolean }>({ memberId: id, messages: optional(isTrue) }),
  ({ memberId, messages }): EventParams["x.grp.mem.del"] => (messages ? { memberId, messages } : { memberId }),
  (deletion) => deletion,
);

const scope = optional(msgScope);
const none = object<EventParams["x.ok"]>({});
const member = object<EventParams["x.grp.acpt"]>({ memberId: id });

const CODECS: { readonly [K in EventName]: JsonCodec<EventParams[K]> } = {
  "x.contact": contactRequest,
  "x.info": object({ profile }),
  "x.info.probe": object({ probe: id }),
  "x.info.probe.check": object({ probeHash: id }),
  "x.info.probe.ok": object({ probe: id }),
  "x.direct.del": none,
  "x.ok": none,
  "x.msg.new": msgContainer,
  "x.msg.update": withoutEmptyMentions(
    object<MessageUpdate>({
      msgId: id,
      content: msgContent,
      mentions: optional(mentions),
      ttl: optional(natural),
      live: optional(bool),
      scope,
    }),
  ),
  "x.msg.del": object<EventParams["x.msg.del"]>({ msgId: id, memberId: optional(id), scope }),
  "x.msg.deleted": none,
  "x.msg.react": object<EventParams["x.msg.react"]>({
    msgId: id,
    memberId: optional(id),
    scope,
    reaction,
    add: bool,
  }),
  "x.msg.file.descr": object({ msgId: id, fileDescr }),
  "x.file": object({ file: fileInvitation }),
  "x.file.acpt": object({ fileName: text }),
  "x.file.acpt.inv": object<EventParams["x.file.acpt.inv"]>({
    msgId: id,
    fileConnReq: optional(text),
    fileName: text,
  }),
  "x.file.cancel": object({ msgId: id }),
  "x.grp.inv": object({ groupInvitation }),
  "x.grp.acpt": member,
  "x.grp.link.inv": object({ groupLinkInvitation }),
  "x.grp.link.reject": object({ groupLinkRejection }),
  "x.grp.link.mem": object({ profile }),
  "x.grp.link.acpt": object({ acceptance, role, memberId: id }),
  "x.grp.mem.new": object<EventParams["x.grp.mem.new"]>({ memberInfo, scope }),
  "x.grp.mem.intro": object<EventParams["x.grp.mem.intro"]>({
    memberInfo,
    memberRestrictions: optional(memberRestrictions),
  }),
  "x.grp.mem.inv": object({ memberId: id, memberIntro }),
  "x.grp.mem.fwd": object({ memberInfo, memberIntro }),
  "x.grp.mem.info": object({ memberId: id, profile }),
  "x.grp.mem.role": object({ memberId: id, role }),
  "x.grp.mem.restrict": object({ memberId: id, memberRestrictions }),
  "x.grp.mem.con": member,
  "x.grp.mem.con.all": member,
  "x.grp.mem.del": memberDeletion,
  "x.grp.leave": none,
  "x.grp.del": none,
  "x.grp.info": object({ groupProfile }),
  "x.grp.prefs": object({ groupPreferences }),
  "x.grp.direct.inv": object<EventParams["x.grp.direct.inv"]>({
    connReq: text,
    content: optional(msgContent),
    scope,
  }),
  "x.grp.msg.forward": object<EventParams["x.grp.msg.forward"]>({
    memberId: id,
    memberName: optional(text),
    msg: rawObject,
    msgTs: utcTime,
  }),
  "x.call.inv": object({ callId: id, invitation: callInvitation }),
  "x.call.offer": object({ callId: id, offer: callOffer }),
  "x.call.answer": object({ callId: id, answer: callAnswer }),
  "x.call.extra": object({ callId: id, extra: callExtraInfo }),
  "x.call.end": object({ callId: id }),
};

const codecs: ReadonlyMap<string, JsonCodec<unknown>> = new Map(Object.entries(CODECS));

/** Names of all events that are known. */
export const EVENT_NAMES = Object.keys(CODECS) as readonly EventName[];

const UNKNOWN_NAME = /^x[^ ]*$/;

/** @throws MessageError */
export function readEvent(name: string, params: JsonObject): ChatEvent {
  const codec = codecs.get(name);
  if (codec) return { type: name, params: inField("params", () => codec.read(params)) } as ChatEvent;
  if (!UNKNOWN_NAME.test(name)) throw new MessageError(`'${name.slice(0, 40)}' is no event`, "event");
  return { type: "unknown", event: name, params };
}

/** The name and params of an event as they are written. */
export function writeEvent(event: ChatEvent): { readonly event: string; readonly params: JsonObject } {
  if (event.type === "unknown") return { event: event.event, params: event.params };
  return { event: event.type, params: rawObject.read(codecs.get(event.type)?.write(event.params) ?? null) };
}
