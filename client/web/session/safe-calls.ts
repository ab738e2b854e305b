/** Calls that only look, or that leave things as they are when done again. */
const SAFE: Readonly<Record<string, readonly string[]>> = {
  session: ["isSealed", "settings", "setSettings", "ownRelay", "reconnect", "unlock", "lock"],
  users: ["list", "get", "active", "activate", "update", "setReceipts"],
  links: ["address", "requests", "refreshAddress"],
  contacts: [
    "list", "get", "named", "set", "setPreferences", "agreement", "connection", "securityCode", "verify", "unverify",
  ],
  messages: ["edit"],
  history: [
    "conversations", "items", "item", "editions", "search", "markRead", "markUnread", "setDraft", "conversation",
    "deliveries",
  ],
  groups: ["list", "get", "named", "members", "set", "setMember", "setPreferences", "link"],
  files: ["bytes", "cancel"],
  push: ["register", "renew", "setMode", "setNaming", "remove", "arrived", "seen"],
};

/** Whether a call of which nobody knows what became of it may be made again. */
export function isSafe(facade: string, method: string, args: readonly unknown[]): boolean {
  // Without the item up to which it goes it would take along what came since.
  if (facade === "history" && method === "markRead" && typeof args[1] !== "string") return false;
  return SAFE[facade]?.includes(method) ?? false;
}
