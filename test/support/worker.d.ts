import type { Env as RelayEnv } from "../../src/objects/env.ts";

// What the tests that run inside workerd know of the Worker under test.
declare global {
  namespace Cloudflare {
    interface Env extends Pick<RelayEnv, keyof RelayEnv> {}
    interface GlobalProps {
      mainModule: { default: ExportedHandler };
    }
  }
}
