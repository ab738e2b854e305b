import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { GeneratorProcess } from "./generator-process.ts";
import { measureIdle } from "./idle.ts";
import { machineState } from "./machine.ts";
import { measureMessages } from "./messages.ts";
import { FULL, QUICK } from "./plan.ts";
import { render, type Section } from "./table.ts";

/** Measures the relay on this machine's workerd: `--quick` for less, `--json FILE` for machines. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, json: { type: "string" } } });
  const plan = values.quick ? QUICK : FULL;
  const machine = machineState();
  const started = performance.now();
  const generator = new GeneratorProcess();
  let sections: Section[];
  try {
    sections = [...await measureMessages(plan, generator), ...await measureIdle(plan, generator)];
  } finally {
    generator.stop();
  }
  const seconds = (performance.now() - started) / 1000;
  const { processor, cores, load, node } = machine;
  process.stdout.write([
    `${processor}, ${cores} cores, node ${node}; load at the start ${load[0]?.toFixed(2)}, at the end ${machineState().load[0]?.toFixed(2)}`,
    `${plan.rounds} rounds: median, then lowest - highest; ${seconds.toFixed(0)} s in all`,
    "",
    render(sections),
  ].join("\n"));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, plan, seconds, sections }, null, 2)}\n`);
}

await main();
