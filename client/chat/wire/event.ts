import type { CallAnswer, CallExtraInfo, CallInvitation, CallOffer } from "./call.ts";
import type { Mention, MsgContainer, MsgScope } from "./container.ts";
import type { MsgContent } from "./content.ts";
import type { FileDescr, FileInvitation } from "./file.ts";
import type {
  Acceptance,
  GroupInvitation,
  GroupLinkInvitation,
  GroupLinkRejection,
  MemberInfo,
  MemberIntro,
  MemberRestrictions,
} from "./group.ts";
import type { Id } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import type { GroupPreferences, Role } from "./preferences.ts";
import type { GroupProfile, Profile } from "./profile.ts";
import type { Reaction } from "./reaction.ts";
import type { UtcTime } from "./time.ts";

/** A first message that comes with a request. */
export interface RequestMessage {
  readonly msgId: Id;
  readonly content: MsgContent;
}

export interface ContactRequest {
  readonly profile: Profile;
  /** Of an attempt to connect: requests with the same one are one request. */
  readonly contactReqId?: Id;
  /** Under which the requester shows the welcome text of the address already. */
  readonly welcomeMsgId?: Id;
  /** In JSON its fields stand beside the others, both or neither. */
  readonly message?: RequestMessage;
}

export interface MessageUpdate {
  readonly msgId: Id;
  readonly content: MsgContent;
  readonly mentions?: readonly Mention[];
  readonly ttl?: number;
  readonly live?: boolean;
  readonly scope?: MsgScope;
}

export interface MessageDeletion {
  readonly msgId: Id;
  /** The author, when a moderator deletes what another member wrote. */
  readonly memberId?: Id;
  readonly scope?: MsgScope;
}

export interface MessageReaction {
  readonly msgId: Id;
  /** The author of the message; always there in groups. */
  readonly memberId?: Id;
  readonly scope?: MsgScope;
  readonly reaction: Reaction;
  /** False takes the reaction back. */
  readonly add: boolean;
}

/** Of a member, passed on by the one who let others in. */
export interface ForwardedMessage {
  readonly memberId: Id;
  readonly memberName?: string;
  /** The whole message as the member sent it, with what we do not know: read it with `readMessage`. */
  readonly msg: JsonObject;
  /** When the relay took it. */
  readonly msgTs: UtcTime;
}

type None = Record<never, never>;
interface Member {
  readonly memberId: Id;
}

/** Of every event its params (chat specification, sections 3 to 6). */
export interface EventParams {
  readonly "x.contact": ContactRequest;
  readonly "x.info": { readonly profile: Profile };
  readonly "x.info.probe": { readonly probe: Id };
  readonly "x.info.probe.check": { readonly probeHash: Id };
  readonly "x.info.probe.ok": { readonly probe: Id };
  readonly "x.direct.del": None;
  readonly "x.ok": None;
  readonly "x.msg.new": MsgContainer;
  readonly "x.msg.update": MessageUpdate;
  readonly "x.msg.del": MessageDeletion;
  readonly "x.msg.deleted": None;
  readonly "x.msg.react": MessageReaction;
  readonly "x.msg.file.descr": { readonly msgId: Id; readonly fileDescr: FileDescr };
  readonly "x.file": { readonly file: FileInvitation };
  readonly "x.file.acpt": { readonly fileName: string };
  readonly "x.file.acpt.inv": { readonly msgId: Id; readonly fileConnReq?: string; readonly fileName: string };
  readonly "x.file.cancel": { readonly msgId: Id };
  readonly "x.grp.inv": { readonly groupInvitation: GroupInvitation };
  readonly "x.grp.acpt": Member;
  readonly "x.grp.link.inv": { readonly groupLinkInvitation: GroupLinkInvitation };
  readonly "x.grp.link.reject": { readonly groupLinkRejection: GroupLinkRejection };
  readonly "x.grp.link.mem": { readonly profile: Profile };
  readonly "x.grp.link.acpt": { readonly acceptance: Acceptance; readonly role: Role; readonly memberId: Id };
  readonly "x.grp.mem.new": { readonly memberInfo: MemberInfo; readonly scope?: MsgScope };
  readonly "x.grp.mem.intro": { readonly memberInfo: MemberInfo; readonly memberRestrictions?: MemberRestrictions };
  readonly "x.grp.mem.inv": { readonly memberId: Id; readonly memberIntro: MemberIntro };
  readonly "x.grp.mem.fwd": { readonly memberInfo: MemberInfo; readonly memberIntro: MemberIntro };
  readonly "x.grp.mem.info": { readonly memberId: Id; readonly profile: Profile };
  readonly "x.grp.mem.role": { readonly memberId: Id; readonly role: Role };
  readonly "x.grp.mem.restrict": { readonly memberId: Id; readonly memberRestrictions: MemberRestrictions };
  readonly "x.grp.mem.con": Member;
  readonly "x.grp.mem.con.all": Member;
  /** `messages`: what the member wrote is deleted as well. */
  readonly "x.grp.mem.del": { readonly memberId: Id; readonly messages?: true };
  readonly "x.grp.leave": None;
  readonly "x.grp.del": None;
  readonly "x.grp.info": { readonly groupProfile: GroupProfile };
  readonly "x.grp.prefs": { readonly groupPreferences: GroupPreferences };
  readonly "x.grp.direct.inv": { readonly connReq: string; readonly content?: MsgContent; readonly scope?: MsgScope };
  readonly "x.grp.msg.forward": ForwardedMessage;
  readonly "x.call.inv": { readonly callId: Id; readonly invitation: CallInvitation };
  readonly "x.call.offer": { readonly callId: Id; readonly offer: CallOffer };
  readonly "x.call.answer": { readonly callId: Id; readonly answer: CallAnswer };
  readonly "x.call.extra": { readonly callId: Id; readonly extra: CallExtraInfo };
  readonly "x.call.end": { readonly callId: Id };
}

export type EventName = keyof EventParams;

export type KnownEvent = {
  readonly [K in EventName]: { readonly type: K; readonly params: EventParams[K] };
}[EventName];

/** An event that is not known yet, kept as it came. */
export interface UnknownEvent {
  readonly type: "unknown";
  /** Begins with `x`. */
  readonly event: string;
  readonly params: JsonObject;
}

export type ChatEvent = KnownEvent | UnknownEvent;
