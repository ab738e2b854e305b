import { type Codec, large, tail, text, transform, word16 } from "#protocol/codec";
import { maybe, struct } from "#protocol/combine";
import { type E2eParams, e2eParams, type ProposedE2eParams, proposedE2eParams } from "../../ratchet/parameters.ts";
import { parseConnectionRequest } from "./connection-request.ts";
import { type FieldsOf, union } from "./union.ts";

/** The first message of each side. */
export interface ConfirmationEnvelope {
  readonly type: "confirmation";
  readonly agentVersion: number;
  /** Of the joiner; the initiator's are in the link. */
  readonly e2eParams: E2eParams | null;
  /** Encrypted by the ratchet. */
  readonly encConnInfo: Uint8Array;
}

export interface MessageEnvelope {
  readonly type: "message";
  readonly agentVersion: number;
  /** Encrypted by the ratchet. */
  readonly encAgentMessage: Uint8Array;
}

/** A request to connect through an address; no ratchet encrypts it. */
export interface InvitationEnvelope {
  readonly type: "invitation";
  readonly agentVersion: number;
  /** The text of a long invitation link, in the scheme `simplex:`. */
  readonly connReq: string;
  readonly connInfo: Uint8Array;
}

/** Keys for a new ratchet; no ratchet encrypts them. */
export interface RatchetKeyEnvelope {
  readonly type: "ratchetKey";
  readonly agentVersion: number;
  readonly e2eParams: ProposedE2eParams;
  readonly info: Uint8Array;
}

/** What stands in the per-queue envelope. */
export type AgentEnvelope = ConfirmationEnvelope | MessageEnvelope | InvitationEnvelope | RatchetKeyEnvelope;

function checkInvitation(link: string): string {
  const { type } = parseConnectionRequest(link);
  if (type !== "invitation") throw new RangeError(`an invitation is wanted, not an address of type ${type}`);
  return link;
}

const invitationText: Codec<string> = transform(text(large), checkInvitation, (link) => link);

type Unversioned<T> = T extends unknown ? Omit<T, "agentVersion"> : never;
type Content = Unversioned<AgentEnvelope>;

const content = union<Content>({
  confirmation: ["C", struct<FieldsOf<Content, "confirmation">>({ e2eParams: maybe(e2eParams), encConnInfo: tail })],
  message: ["M", struct<FieldsOf<Content, "message">>({ encAgentMessage: tail })],
  invitation: ["I", struct<FieldsOf<Content, "invitation">>({ connReq: invitationText, connInfo: tail })],
  ratchetKey: ["R", struct<FieldsOf<Content, "ratchetKey">>({ e2eParams: proposedE2eParams, info: tail })],
});

/** Word16 agent version, a letter, the content (agent specification, section 4). Any version parses. */
export const agentEnvelope: Codec<AgentEnvelope> = {
  write(writer, value, version) {
    word16.write(writer, value.agentVersion, version);
    content.write(writer, value, version);
  },
  read(reader, version) {
    const agentVersion = word16.read(reader, version);
    return { ...content.read(reader, version), agentVersion };
  },
};
