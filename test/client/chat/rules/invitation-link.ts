import { queueUriOf } from "#protocol/queue-address";
import { invitationOf } from "../../../../client/agent/rules/establish.ts";
import { formatConnectionRequest } from "../../../../client/agent/wire/connection-request.ts";
import { generateE2eKeys } from "../../../../client/ratchet/agree.ts";
import { newOwn } from "../../agent/rules/support/peer.ts";

/** A whole invitation, as members make them for each other. */
export function invitationLink(): string {
  const queue = queueUriOf(newOwn().info, { min: 1, max: 4 });
  return formatConnectionRequest(invitationOf(generateE2eKeys(false), queue, true));
}
