import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { measureAgents } from "./agents.ts";
import { measureSizes } from "./bundle-size.ts";
import { GeneratorProcess } from "./generator-process.ts";
import { measureGateway } from "./gateway.ts";
import { measureIdle } from "./idle.ts";
import { machineState } from "./machine.ts";
import { measureMessages } from "./messages.ts";
import { FULL, type Plan, QUICK } from "./plan.ts";
import { measurePush } from "./push.ts";
import { measureRatchet } from "./ratchet.ts";
import { render, type Section } from "./table.ts";
import { measureWeb } from "./web.ts";

async function measureRelay(plan: Plan): Promise<Section[]> {
  const generator = new GeneratorProcess();
  try {
    return [...await measureMessages(plan, generator), ...await measureIdle(plan, generator)];
  } finally {
    generator.stop();
  }
}

const PARTS: Readonly<Record<string, (plan: Plan) => Promise<Section[]>>> = {
  relay: measureRelay,
  gateway: measureGateway,
  ratchet: measureRatchet,
  agent: measureAgents,
  size: measureSizes,
  web: measureWeb,
  push: measurePush,
};

/** The parts that are named on the command line, all when none is. */
function partsOf(names: readonly string[]): ((plan: Plan) => Promise<Section[]>)[] {
  const wanted = names.length > 0 ? names : Object.keys(PARTS);
  return wanted.map((name) => {
    const part = PARTS[name];
    if (part) return part;
    throw new Error(`there is no '${name}' to measure: name some of ${Object.keys(PARTS).join(", ")}, or nothing for all`);
  });
}

/**
 * Measures on this machine: `relay` (in workerd), `gateway`, `ratchet`, `agent`, `size` of the client, `web` (the page
 * in a browser), `push`, or all of it. `--quick` for less, `--json FILE` for machines.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { quick: { type: "boolean", default: false }, json: { type: "string" } },
    allowPositionals: true,
  });
  const parts = partsOf(positionals);
  const plan = values.quick ? QUICK : FULL;
  const machine = machineState();
  const started = performance.now();
  const sections: Section[] = [];
  for (const measure of parts) sections.push(...await measure(plan));
  const seconds = (performance.now() - started) / 1000;
  const { processor, cores, load, node } = machine;
  process.stdout.write([
    `${processor}, ${cores} cores, node ${node}; load at the start ${load[0]?.toFixed(2)}, at the end ${machineState().load[0]?.toFixed(2)}`,
    `${plan.rounds} rounds (ratchet ${plan.ratchetRounds}): median, then lowest - highest; ${seconds.toFixed(0)} s in all`,
    "",
    render(sections),
  ].join("\n"));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, plan, seconds, sections }, null, 2)}\n`);
}

await main();
