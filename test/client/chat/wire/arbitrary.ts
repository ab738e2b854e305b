import fc from "fast-check";
import type { CallType, RtcSession } from "../../../../client/chat/wire/call.ts";
import type { MsgContainer, MsgRef, MsgScope, Quote } from "../../../../client/chat/wire/container.ts";
import type { ChatEvent, EventName, EventParams } from "../../../../client/chat/wire/event.ts";
import type { FileDescr, FileInvitation } from "../../../../client/chat/wire/file.ts";
import type { MemberInfo, MemberIntro } from "../../../../client/chat/wire/group.ts";
import type { Json } from "../../../../client/chat/wire/json.ts";
import type { ChatMessage } from "../../../../client/chat/wire/message.ts";
import { type Reaction, REACTION_EMOJI } from "../../../../client/chat/wire/reaction.ts";
import { versionRange } from "../../../support/arbitrary.ts";
import {
  content,
  exactly,
  groupPreferences,
  groupProfile,
  id,
  jsonObject,
  natural,
  profile,
  record,
  role,
  text,
  time,
  unknown,
} from "./arbitrary-parts.ts";

const fileDescr: fc.Arbitrary<FileDescr> = record({
  fileDescrText: text,
  fileDescrPartNo: natural,
  fileDescrComplete: fc.boolean(),
});
const file: fc.Arbitrary<FileInvitation> = record<FileInvitation>(
  {
    fileName: text,
    fileSize: natural,
    fileDigest: text,
    fileConnReq: text,
    fileInline: fc.constantFrom<("offer" | "sent")[]>("offer", "sent"),
    fileDescr,
  },
  "fileDigest",
  "fileConnReq",
  "fileInline",
  "fileDescr",
);
const scope: fc.Arbitrary<MsgScope> = record({ type: exactly("member"), memberId: id });
const msgRef: fc.Arbitrary<MsgRef> = record<MsgRef>(
  { msgId: id, sentAt: time, sent: fc.boolean(), memberId: id },
  "msgId",
  "memberId",
);
// JSON puts names that are numbers first, so that they come back in another order.
const name = fc.oneof(
  text.filter((words) => !/^\d+$/u.test(words)),
  fc.constantFrom("__proto__", "toString"),
);
const mentions = fc.uniqueArray(record({ name, memberId: id }), {
  selector: ({ name: key }) => key,
  minLength: 1,
  maxLength: 4,
});
const container: fc.Arbitrary<MsgContainer> = record<MsgContainer>(
  {
    content,
    file,
    ttl: natural,
    live: fc.boolean(),
    mentions,
    scope,
    quote: record<Quote>({ msgRef, content }),
    parent: msgRef,
    forward: exactly(true),
  },
  "file",
  "ttl",
  "live",
  "mentions",
  "scope",
  "quote",
  "parent",
  "forward",
);
const reaction: fc.Arbitrary<Reaction> = fc.oneof<fc.Arbitrary<Reaction>[]>(
  record({ type: exactly("emoji"), emoji: fc.constantFrom(...REACTION_EMOJI) }),
  unknown,
);

const member = record({ memberId: id, memberRole: role });
const business = record({
  chatType: fc.constantFrom<("business" | "customer")[]>("business", "customer"),
  businessId: id,
  customerId: id,
});
const acceptance = fc.constantFrom<("accepted" | "pending" | "pending_review")[]>(
  "accepted",
  "pending",
  "pending_review",
);
const memberInfo = record<MemberInfo>({ memberId: id, memberRole: role, v: versionRange, profile }, "v");
const memberIntro = record<MemberIntro>({ groupConnReq: text, directConnReq: text }, "directConnReq");
const memberRestrictions = record({ restriction: text });

const callType: fc.Arbitrary<CallType> = record({
  media: fc.constantFrom<("audio" | "video")[]>("audio", "video"),
  capabilities: record({ encryption: fc.boolean() }),
});
const rtcSession: fc.Arbitrary<RtcSession> = record({ rtcSession: text, rtcIceCandidates: text });

const none = record({});
const onlyMember = record({ memberId: id });
const params: { readonly [K in EventName]: fc.Arbitrary<EventParams[K]> } = {
  "x.contact": record<EventParams["x.contact"]>(
    { profile, contactReqId: id, welcomeMsgId: id, message: record({ msgId: id, content }) },
    "contactReqId",
    "welcomeMsgId",
    "message",
  ),
  "x.info": record({ profile }),
  "x.info.probe": record({ probe: id }),
  "x.info.probe.check": record({ probeHash: id }),
  "x.info.probe.ok": record({ probe: id }),
  "x.direct.del": none,
  "x.ok": none,
  "x.msg.new": container,
  "x.msg.update": record<EventParams["x.msg.update"]>(
    { msgId: id, content, mentions, ttl: natural, live: fc.boolean(), scope },
    "mentions",
    "ttl",
    "live",
    "scope",
  ),
  "x.msg.del": record<EventParams["x.msg.del"]>({ msgId: id, memberId: id, scope }, "memberId", "scope"),
  "x.msg.deleted": none,
  "x.msg.react": record<EventParams["x.msg.react"]>(
    { msgId: id, memberId: id, scope, reaction, add: fc.boolean() },
    "memberId",
    "scope",
  ),
  "x.msg.file.descr": record({ msgId: id, fileDescr }),
  "x.file": record({ file }),
  "x.file.acpt": record({ fileName: text }),
  "x.file.acpt.inv": record<EventParams["x.file.acpt.inv"]>(
    { msgId: id, fileConnReq: text, fileName: text },
    "fileConnReq",
  ),
  "x.file.cancel": record({ msgId: id }),
  "x.grp.inv": record({
    groupInvitation: record<EventParams["x.grp.inv"]["groupInvitation"]>(
      {
        fromMember: member,
        invitedMember: member,
        connRequest: text,
        groupProfile,
        business,
        groupLinkId: id,
        groupSize: natural,
      },
      "business",
      "groupLinkId",
      "groupSize",
    ),
  }),
  "x.grp.acpt": onlyMember,
  "x.grp.link.inv": record({
    groupLinkInvitation: record<EventParams["x.grp.link.inv"]["groupLinkInvitation"]>(
      {
        fromMember: member,
        fromMemberName: text,
        invitedMember: member,
        groupProfile,
        accepted: acceptance,
        business,
        groupSize: natural,
      },
      "accepted",
      "business",
      "groupSize",
    ),
  }),
  "x.grp.link.reject": record({
    groupLinkRejection: record({ fromMember: member, invitedMember: member, groupProfile, rejectionReason: text }),
  }),
  "x.grp.link.mem": record({ profile }),
  "x.grp.link.acpt": record({ acceptance, role, memberId: id }),
  "x.grp.mem.new": record<EventParams["x.grp.mem.new"]>({ memberInfo, scope }, "scope"),
  "x.grp.mem.intro": record<EventParams["x.grp.mem.intro"]>({ memberInfo, memberRestrictions }, "memberRestrictions"),
  "x.grp.mem.inv": record({ memberId: id, memberIntro }),
  "x.grp.mem.fwd": record({ memberInfo, memberIntro }),
  "x.grp.mem.info": record({ memberId: id, profile }),
  "x.grp.mem.role": record({ memberId: id, role }),
  "x.grp.mem.restrict": record({ memberId: id, memberRestrictions }),
  "x.grp.mem.con": onlyMember,
  "x.grp.mem.con.all": onlyMember,
  "x.grp.mem.del": record<EventParams["x.grp.mem.del"]>({ memberId: id, messages: exactly(true) }, "messages"),
  "x.grp.leave": none,
  "x.grp.del": none,
  "x.grp.info": record({ groupProfile }),
  "x.grp.prefs": record({ groupPreferences }),
  "x.grp.direct.inv": record<EventParams["x.grp.direct.inv"]>({ connReq: text, content, scope }, "content", "scope"),
  "x.grp.msg.forward": record<EventParams["x.grp.msg.forward"]>(
    { memberId: id, memberName: text, msg: jsonObject, msgTs: time },
    "memberName",
  ),
  "x.call.inv": record({
    callId: id,
    invitation: record<EventParams["x.call.inv"]["invitation"]>({ callType, callDhPubKey: id }, "callDhPubKey"),
  }),
  "x.call.offer": record({
    callId: id,
    offer: record<EventParams["x.call.offer"]["offer"]>({ callType, rtcSession, callDhPubKey: id }, "callDhPubKey"),
  }),
  "x.call.answer": record({ callId: id, answer: record({ rtcSession }) }),
  "x.call.extra": record({ callId: id, extra: record({ rtcExtraInfo: record({ rtcIceCandidates: text }) }) }),
  "x.call.end": record({ callId: id }),
};

/** Events of one name. */
export function eventOf(type: EventName): fc.Arbitrary<ChatEvent> {
  return (params[type] as fc.Arbitrary<object>).map((fields) => ({ type, params: fields }) as ChatEvent);
}

const unknownEvent: fc.Arbitrary<ChatEvent> = fc
  .tuple(fc.stringMatching(/^x\.new\.[^ ]{0,10}$/), jsonObject)
  .map(([event, fields]) => ({ type: "unknown", event, params: fields }));
const names = Object.keys(params) as EventName[];
export const event: fc.Arbitrary<ChatEvent> = fc.oneof(...names.map(eventOf), unknownEvent);

export const messageWith = (of: fc.Arbitrary<ChatEvent>): fc.Arbitrary<ChatMessage> =>
  record<ChatMessage>({ versions: versionRange, msgId: id, event: of }, "msgId");
export const message: fc.Arbitrary<ChatMessage> = messageWith(event);

/** Any JSON whatever, often with fields that mean something. */
export const anyJson: fc.Arbitrary<Json> = fc.jsonValue() as fc.Arbitrary<Json>;
