import { agreedVersion, type VersionRange } from "#protocol/version";
import { E2E_VERSIONS } from "../../ratchet/parameters.ts";
import { AGENT_VERSIONS, SMP_CLIENT_VERSIONS } from "../versions.ts";
import type { ConnectionRequest } from "../wire/connection-request.ts";
import { LinkError } from "../wire/link-error.ts";

function agree(what: string, own: VersionRange, link: VersionRange): number {
  const version = agreedVersion(own, link);
  if (version !== null) return version;
  const toUpdate = link.min > own.max ? "this program" : "the program that made the link";
  throw new LinkError("VERSION", `no ${what} version in common with the link; ${toUpdate} must be updated`);
}

/** The versions in which the joiner of a link speaks. */
export interface JoinVersions {
  readonly agent: number;
  /** Of the link's first queue, the only one that is used. */
  readonly client: number;
  /** Null for a contact address: it is joined with an invitation of the joiner's own. */
  readonly e2e: number | null;
}

/** Checks the versions of the first queue, the ratchet and the agent, in this order. @throws LinkError "VERSION" */
export function agreeJoinVersions(request: ConnectionRequest): JoinVersions {
  const client = agree("queue", SMP_CLIENT_VERSIONS, request.queues[0].clientVersions);
  const e2e = request.type === "invitation" ? agree("encryption", E2E_VERSIONS, request.e2e.versions) : null;
  return { agent: agree("agent", AGENT_VERSIONS, request.agentVersions), client, e2e };
}
