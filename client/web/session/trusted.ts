interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): string };
}

const OWN = /^\/app\/(?:chat-[A-Z0-9]{8}|service-worker)\.js$/;

function own(url: string): string {
  if (!OWN.test(url)) throw new TypeError(`${url} is no script of this page`);
  return url;
}

const factory = (globalThis as { readonly trustedTypes?: PolicyFactory }).trustedTypes;
const policy = factory?.createPolicy("smp-edge", { createScriptURL: own });

/** The address of one of the page's own workers, in the form that browsers take for it. */
export function scriptUrl(url: string): string {
  return policy ? policy.createScriptURL(url) : own(url);
}
