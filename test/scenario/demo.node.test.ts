import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

async function runProgram(name: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../client/node/${name}`, import.meta.url)), ...args]);
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  const [code] = await once(child, "close") as [number | null];
  return { code, output };
}

const run = (...args: readonly string[]): ReturnType<typeof runProgram> => runProgram("demo.ts", args);

test("the demo of private routing goes through both relays and TLS", { timeout: 120_000 }, async () => {
  const { code, output } = await runProgram("demo-forward.ts", []);
  expect(output).toContain("nobody connected to the other's relay");
  expect(output).not.toContain("WRONG");
  expect(code).toBe(0);
});

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
