import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Run three times: with node's crypto in Node, with noble as browsers do, and in workerd. */
const everywhere = ["test/{vectors,crypto,codec,rules,push,client,tls}/**/*.test.ts"];
const onlyNode = "**/*.node.test.ts";
/** What only the relay does never runs with noble, and the rules of the chat do no cryptography. */
const notWithNoble = ["test/{rules,push,tls}/**", "test/client/chat/**"];
/** Rules of clients that are the same code everywhere; a passphrase is stretched for half a minute there. */
const notInWorkerd = ["test/client/chat/**", "test/client/agent/rules/**", "test/client/store/passphrase.test.ts"];
const noble = fileURLToPath(new URL("src/crypto/native/noble.ts", import.meta.url));

export default defineConfig({
  test: {
    // Most tests wait for relays and timers rather than compute, so no core is left to idle.
    maxWorkers: availableParallelism() + 2,
    projects: [
      {
        test: {
          name: "node",
          environment: "node",
          include: [...everywhere, "test/{scenario,hostile,node,terminal}/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias: { "#native": noble } },
        test: {
          name: "noble",
          environment: "node",
          include: everywhere,
          exclude: [onlyNode, ...notWithNoble],
          testTimeout: 60_000,
          // Pure functions: nothing of one file is left for the next.
          isolate: false,
        },
      },
      {
        // In Node, driving a real Chromium.
        test: {
          name: "browser",
          environment: "node",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { ADMIN_TOKEN: "a token of the tests" } },
          }),
        ],
        test: {
          name: "workerd",
          globalSetup: ["test/support/build-web.ts"],
          include: [...everywhere, "test/{relay,http}/**/*.test.ts"],
          exclude: [onlyNode, ...notInWorkerd],
          testTimeout: 30_000,
          // Its index is CommonJS that requires a module; bundling it settles that.
          server: { deps: { inline: ["itty-durable"] } },
        },
      },
    ],
  },
});
