import { describe, expect, it } from "vitest";
import { runCommand } from "../support/relay-process.ts";

describe("the command line", () => {
  it.each([[["help"]], [["--help"]], [["start", "--help"]], [["gateway", "--relay", "x", "--help"]]])(
    "explains itself to who asks: %j",
    async (args) => {
      const { code, stdout, stderr } = await runCommand(args);
      expect([code, stderr]).toEqual([0, ""]);
      for (const command of ["start", "serve", "gateway", "identity", "push"]) expect(stdout).toContain(`smp-edge ${command} `);
    },
  );

  it.each([[[]], [["begin"]], [["start", "--prot", "1"]], [["start", "now"]], [["serve"]], [["gateway"]], [["push"]], [["push", "keys", "x"]]])(
    "does nothing that was not asked for: %j",
    async (args) => {
      const { code, stdout, stderr } = await runCommand(args);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).not.toBe("");
    },
  );
});
