import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const DEMO = fileURLToPath(new URL("../../client/node/demo.ts", import.meta.url));

async function run(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [DEMO, ...args]);
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  const [code] = await once(child, "close") as [number | null];
  return { code, output };
}

test("the demo loses nothing when a connection is cut", { timeout: 120_000 }, async () => {
  const { code, output } = await run();
  expect(output).toContain("connection is cut");
  expect(output).toContain("Bob received 60 of 60: each once and in order");
  expect(output).toContain("nothing was lost");
  expect(code).toBe(0);
});

test("the demo says what is wrong with its arguments", async () => {
  expect(await run("--relay", "nonsense")).toMatchObject({ code: 1, output: expect.stringContaining("smp://") as string });
  expect((await run("--url", "ws://127.0.0.1/")).code).toBe(2);
});
