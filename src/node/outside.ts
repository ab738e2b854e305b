import type { Settings } from "../config.ts";

/**
 * The network through which the Worker of a local relay connects to others. It looks names up itself and judges what
 * they lead to: one that leads to a private address leads nowhere.
 */
export function outsideNetwork({ PROXY_PRIVATE }: Settings, allowsPrivate = PROXY_PRIVATE === "on"): object {
  const allow = allowsPrivate ? ["public", "private"] : ["public"];
  return { type: "network", allow, tlsOptions: { trustBrowserCas: true } };
}
