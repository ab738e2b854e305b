import { type Link, parseLink } from "../../agent/wire/link.ts";
import { readGroupLinkId } from "../../chat/wire/short-link-data.ts";

function isOfGroup(link: Link): boolean {
  if (link.type === "short") return link.mode === "contact" && link.kind !== "contact";
  return link.type === "contact" && link.clientData !== null && readGroupLinkId(link.clientData) !== null;
}

/** Whether a link leads into a group. @throws LinkError */
export function isGroupLink(text: string): boolean {
  return isOfGroup(parseLink(text));
}
