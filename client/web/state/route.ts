/** Where in the program somebody is. It stands in the fragment of the address, which goes nowhere. */
export type Route =
  | { readonly page: "list" }
  | { readonly page: "chat" | "details" | "code" | "preferences" | "members" | "groupLink"; readonly chat: string }
  | { readonly page: "request"; readonly request: string }
  | { readonly page: "new" | "invite" | "connect" | "newGroup" | "address" | "profiles" | "profile" | "settings" }
  | { readonly page: "section"; readonly section: Section };

export const SECTIONS = [
  "relays", "passphrase", "notifications", "appearance", "privacy", "shortcuts", "data", "about",
] as const;
export type Section = (typeof SECTIONS)[number];

const OF_A_CHAT = ["details", "code", "preferences", "members", "groupLink"] as const;
const SINGLE = ["new", "invite", "connect", "newGroup", "address", "profiles", "profile", "settings"] as const;

export function formatRoute(route: Route): string {
  switch (route.page) {
    case "list":
      return "#/";
    case "chat":
      return `#/chat/${encodeURIComponent(route.chat)}`;
    case "request":
      return `#/request/${encodeURIComponent(route.request)}`;
    case "section":
      return `#/settings/${route.section}`;
    default:
      return "chat" in route ? `#/chat/${encodeURIComponent(route.chat)}/${route.page}` : `#/${route.page}`;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A fragment that somebody typed.
    return part;
  }
}

/** Anything that is no route is the list. */
export function parseRoute(fragment: string): Route {
  const [first = "", second, third] = fragment.replace(/^#?\/?/u, "").split("/").map(decoded);
  if (first === "chat" && second) {
    const page = OF_A_CHAT.find((one) => one === third) ?? "chat";
    return { page, chat: second };
  }
  if (first === "request" && second) return { page: "request", request: second };
  const section = SECTIONS.find((one) => one === second);
  if (first === "settings" && section) return { page: "section", section };
  const page = SINGLE.find((one) => one === first);
  return page ? { page } : { page: "list" };
}

/** Where "back" leads. */
export function parentOf(route: Route): Route {
  switch (route.page) {
    case "details":
      return { page: "chat", chat: route.chat };
    case "code":
    case "preferences":
    case "members":
    case "groupLink":
      return { page: "details", chat: route.chat };
    case "section":
      return { page: "settings" };
    case "invite":
    case "connect":
    case "newGroup":
      return { page: "new" };
    case "profile":
      return { page: "profiles" };
    default:
      return { page: "list" };
  }
}

/** The link in a fragment that was opened with one: `#simplex:/…`, `#https://…`; null when there is none. */
export function linkInFragment(fragment: string): string | null {
  const text = fragment.replace(/^#/u, "");
  if (/^(?:simplex:|https:\/\/)/u.test(text)) return text;
  const plain = decoded(text);
  return /^(?:simplex:|https:\/\/)/u.test(plain) ? plain : null;
}
