import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
/** Microseconds in a clock tick of the kernel. */
const TICK = 1_000_000 / TICKS;

function numbers(path: string, after: string): number[] {
  const text = readFileSync(path, "latin1");
  return text.slice(text.lastIndexOf(after) + after.length).trim().split(/\s+/).map(Number);
}

function treeOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").flatMap((child) => treeOf(Number(child))))];
}

/** CPU time of a process and its children so far, user and system, in microseconds. Linux only, as all of this file. */
export function cpuOf(pid: number): number {
  // Fields 14 and 15 of /proc/PID/stat; the list starts with the third.
  return treeOf(pid).reduce((sum, each) => {
    const fields = numbers(`/proc/${each}/stat`, ") ");
    return sum + ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK;
  }, 0);
}

/** Resident memory of a process and its children, in bytes. */
export function residentOf(pid: number): number {
  return treeOf(pid).reduce((sum, each) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${each}/status`, "latin1"))?.[1];
    return sum + Number(kilobytes ?? 0) * 1024;
  }, 0);
}

/** CPU time that the whole machine has spent so far, in microseconds. */
export function busyTime(): number {
  const line = readFileSync("/proc/stat", "latin1").split("\n")[0] ?? "";
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) * TICK;
}

/** Milliseconds that a fixed piece of work takes: how even the machine is. */
export function calibrate(): number {
  const started = performance.now();
  let x = 1;
  for (let i = 0; i < 30_000_000; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
  return performance.now() - started + (x === 0 ? 1 : 0);
}

export interface MachineState {
  readonly processor: string;
  readonly cores: number;
  readonly load: readonly number[];
  readonly node: string;
}

export function machineState(): MachineState {
  const all = cpus();
  return { processor: all[0]?.model ?? "unknown", cores: all.length, load: loadavg(), node: process.version };
}
