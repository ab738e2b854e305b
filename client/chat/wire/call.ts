import { type Id, id } from "./ids.ts";
import { bool, type JsonCodec, object, oneOf, optional, text } from "./json.ts";

export interface CallType {
  readonly media: "audio" | "video";
  /** Whether the side that says so can encrypt the frames of the call. */
  readonly capabilities: { readonly encryption: boolean };
}

const callType = object<CallType>({
  media: oneOf("audio", "video"),
  capabilities: object<CallType["capabilities"]>({ encryption: bool }),
});

/** Both texts are JSON in the encoding of `compressSignal`. */
export interface RtcSession {
  /** `{type, sdp}`. */
  readonly rtcSession: string;
  /** Array of RTCIceCandidateInit. */
  readonly rtcIceCandidates: string;
}

const rtcSession = object<RtcSession>({ rtcSession: text, rtcIceCandidates: text });

export interface CallInvitation {
  readonly callType: CallType;
  /** X25519, DER in base64url: read it with `callPublicKey`. */
  readonly callDhPubKey?: Id;
}

export const callInvitation: JsonCodec<CallInvitation> = object<CallInvitation>({
  callType,
  callDhPubKey: optional(id),
});

export interface CallOffer {
  readonly callType: CallType;
  readonly rtcSession: RtcSession;
  readonly callDhPubKey?: Id;
}

export const callOffer: JsonCodec<CallOffer> = object<CallOffer>({
  callType,
  rtcSession,
  callDhPubKey: optional(id),
});

export interface CallAnswer {
  readonly rtcSession: RtcSession;
}

export const callAnswer: JsonCodec<CallAnswer> = object<CallAnswer>({ rtcSession });

/** Candidates found after the offer or answer was sent. */
export interface CallExtraInfo {
  readonly rtcExtraInfo: { readonly rtcIceCandidates: string };
}

export const callExtraInfo: JsonCodec<CallExtraInfo> = object<CallExtraInfo>({
  rtcExtraInfo: object<CallExtraInfo["rtcExtraInfo"]>({ rtcIceCandidates: text }),
});
