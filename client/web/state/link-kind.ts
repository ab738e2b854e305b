import { parseLink } from "../../agent/wire/link.ts";
import { readGroupLinkId } from "../../chat/wire/short-link-data.ts";

export type LinkKind = "invitation" | "contact" | "group";

/** What a link says of itself, without a look at what is behind it. @throws LinkError when it is none */
export function kindOfLink(text: string): LinkKind {
  const link = parseLink(text);
  if (link.type === "short") return link.mode === "contact" && link.kind !== "contact" ? "group" : link.mode;
  const isGroup = link.type === "contact" && link.clientData !== null && readGroupLinkId(link.clientData) !== null;
  return isGroup ? "group" : link.type;
}
