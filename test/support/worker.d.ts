// What the tests that run inside workerd know of the Worker under test.
declare namespace Cloudflare {
  interface Env extends Pick<import("../../src/objects/env.ts").Env, keyof import("../../src/objects/env.ts").Env> {}
  interface GlobalProps {
    mainModule: { default: ExportedHandler };
  }
}
