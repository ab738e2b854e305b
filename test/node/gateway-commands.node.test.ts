import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseServerAddress } from "#protocol/address";
import { makeIdentity, toIdentityFile } from "../../src/relay/identity.ts";
import { RelayProcess, removeFolder, runCommand, temporaryFolder } from "../support/relay-process.ts";
import { connectNative } from "../support/tls-client.ts";
import { named } from "../support/wire-client.ts";

const ADMIN_TOKEN = "an admin's token for tests";
const GATEWAY_TOKEN = "a gateway's token for tests";

let folder = "";
let relay: RelayProcess;
const inFolder = (name: string): string => join(folder, name);
const pages = (): string => relay.info.url.replace(/^ws/, "http").replace(/\/$/, "");

beforeAll(async () => {
  folder = temporaryFolder();
  relay = await RelayProcess.start(inFolder("data"), { ADMIN_TOKEN, GATEWAY_TOKEN });
});

afterAll(async () => {
  await relay.stop();
  removeFolder(folder);
});

/** Fails unless an official app finds a relay at the address. */
async function visit(address: string | null): Promise<void> {
  const client = await connectNative(parseServerAddress(address ?? ""));
  expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
  client.close();
  await client.closed;
}

describe("smp-edge gateway", () => {
  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<RelayProcess> =>
    RelayProcess.run(["gateway", "--relay", pages(), "--listen", "127.0.0.1:0", "--json", ...args], env);

  it("serves official apps with what the relay gives to who has the token, and ends cleanly", async () => {
    for (const env of [{ SMP_EDGE_GATEWAY_TOKEN: GATEWAY_TOKEN }, { SMP_EDGE_ADMIN_TOKEN: ADMIN_TOKEN }]) {
      const gateway = await run([], env);
      expect(gateway.info).toEqual({
        gateway: expect.stringMatching(/^smp:\/\/[\w-]{43}=@127\.0\.0\.1:\d+$/) as string,
        relay: pages(),
        fingerprint: relay.info.fingerprint,
      });
      await visit(gateway.info.gateway);
      expect(await gateway.stop()).toBe(0);
    }
  });

  it("serves them with a file too, which holds no more than a gateway needs", async () => {
    const env = { SMP_EDGE_ADMIN_TOKEN: ADMIN_TOKEN };
    const { code, stdout } = await runCommand(["identity", "export", "--gateway", "--relay", pages()], env);
    expect(code).toBe(0);
    const file = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(file).toSorted()).toEqual(["caCertificate", "certificate", "fingerprint", "key", "version"]);
    writeFileSync(inFolder("gateway.json"), stdout);
    const whole = await runCommand(["identity", "export", "--relay", pages()], env);
    writeFileSync(inFolder("identity.json"), whole.stdout);
    for (const name of ["gateway.json", "identity.json"]) {
      const gateway = await run(["--identity", inFolder(name)]);
      await visit(gateway.info.gateway);
      expect(await gateway.stop()).toBe(0);
    }
    const refused = await runCommand(["identity", "import", "--data", inFolder("other"), inFolder("gateway.json")]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("lacks 'caKey'");
  });

  it("says what is wrong in one line", async () => {
    const other = inFolder("other.json");
    writeFileSync(other, JSON.stringify(toIdentityFile(makeIdentity("other", Date.now()))));
    writeFileSync(inFolder("nonsense.json"), "nonsense");
    const base = ["gateway", "--listen", "127.0.0.1:0"];
    const here = [...base, "--relay", pages()];
    const token = (value: string) => ({ SMP_EDGE_GATEWAY_TOKEN: value });
    const taken = ["gateway", "--relay", pages(), "--listen", `127.0.0.1:${new URL(pages()).port}`];
    for (const [args, env, code, text] of [
      [base, {}, 2, "needs --relay URL"],
      [[...base, "--relay", "relay.example.org"], {}, 2, "is not the URL of a relay"],
      [here, {}, 2, "give --identity FILE"],
      [["gateway", "--relay", pages(), "--listen", "5223"], token("x"), 2, "is not [HOST]:PORT"],
      [[...here, "--max-connections", "0"], token("x"), 2, "--max-connections must be a whole number"],
      [here, token("wrong"), 1, "answered 401"],
      [[...here, "--identity", inFolder("nonsense.json")], {}, 1, "is not JSON"],
      [[...here, "--identity", inFolder("missing.json")], {}, 1, "ENOENT"],
      [[...here, "--identity", other], {}, 1, "does not belong to the relay"],
      [taken, token(GATEWAY_TOKEN), 1, "is in use"],
      [[...base, "--relay", "http://127.0.0.1:1"], token(GATEWAY_TOKEN), 1, "does not answer"],
    ] as const) {
      const result = await runCommand(args, env);
      expect(result.stderr).toContain(text);
      expect(result.stderr.trim().split("\n")).toHaveLength(1);
      expect(result.code).toBe(code);
    }
  });
});

describe("smp-edge start", () => {
  it("runs a gateway for this machine, at another port when the usual one is taken", async () => {
    const other = createServer().listen(5223, "127.0.0.1");
    const isTaken = new Promise((resolve) => other.on("listening", resolve).on("error", resolve));
    await isTaken;
    const started = await RelayProcess.start(inFolder("started"), {}, 0, []);
    try {
      expect(started.info.gateway).toMatch(/@127\.0\.0\.1:\d+$/);
      expect(started.info.gateway).not.toMatch(/:5223$/);
      expect(started.troubles).toMatch(/^smp-edge gateway: port 5223 is in use, so official apps are served at port \d+\n$/);
      expect(started.info.gateway).toContain(started.info.fingerprint);
      await visit(started.info.gateway);
    } finally {
      expect(await started.stop()).toBe(0);
      other.close();
    }
  });

  it("runs none when told so, and gives up when a port that was asked for is taken", async () => {
    expect(relay.info.gateway).toBeNull();
    const { port } = new URL(pages());
    const folderOfOther = inFolder("asked");
    const { code, stderr } = await runCommand(["start", "--port", "0", "--tls-port", port, "--data", folderOfOther]);
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} of 127.0.0.1 is in use`);
    expect(() => readFileSync(join(folderOfOther, "relay.pid"))).toThrow("ENOENT");
    expect((await runCommand(["start", "--tls-port", "on"])).code).toBe(2);
  });
});
