import { base64url, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { readRecord } from "../../store/record.ts";
import { PeerError } from "../errors.ts";
import { checkContactRequest, type ContactRequest } from "../records.ts";
import type { Step } from "../step.ts";
import { readConnection, TABLE } from "../tables.ts";
import { isPqSupported } from "../versions.ts";
import { agreeJoinVersions } from "./join-versions.ts";
import type { InvitationEnvelope } from "../wire/agent-envelope.ts";
import { LinkError } from "../wire/link-error.ts";
import { parseConnectionRequest } from "../wire/connection-request.ts";

/** Somebody asks to connect through an address (agent protocol, contact address, step 4). */
export async function requestReceived(step: Step, envelope: InvitationEnvelope): Promise<void> {
  const { connection } = step;
  if (connection.role !== "contact") throw new PeerError("A_PROHIBITED", "only an address takes invitations");
  // The same invitation again, because its sender did not hear of the first, is the same request.
  const id = base64url(sha256(utf8(`${connection.id} ${envelope.connReq}`)).subarray(0, 12));
  if (await readRecord(step.store, TABLE.requests, id, checkContactRequest)) return;
  // It was accepted already: the connection has its id.
  if (await readConnection(step.store, id)) return;
  const request: ContactRequest = {
    id,
    address: connection.id,
    profile: connection.profile,
    invitation: envelope.connReq,
    info: envelope.connInfo,
    at: step.now,
  };
  step.write(TABLE.requests, id, request);
  step.tell({ type: "request", request: id, info: envelope.connInfo, pq: hasPq(envelope.connReq) });
}

/** A request of versions that are not known here is shown all the same, as one without post-quantum encryption. */
function hasPq(text: string): boolean {
  try {
    const { agent, e2e } = agreeJoinVersions(parseConnectionRequest(text));
    return e2e !== null && isPqSupported(agent, e2e);
  } catch (error) {
    if (error instanceof LinkError) return false;
    throw error;
  }
}
