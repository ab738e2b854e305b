import type { Spread } from "./stats.ts";

/** One measured line of the report. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly value: Spread;
  /** The most (or with `atLeast` the least) that is wanted. */
  readonly target?: number;
}

export interface Section {
  readonly title: string;
  readonly metrics: readonly Metric[];
  readonly notes?: readonly string[];
}

function figure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

function columns(metric: Metric): string[] {
  const { name, unit, value: { median, min, max }, target } = metric;
  const spread = figure(min) === figure(max) ? "" : `${figure(min)} - ${figure(max)}`;
  const verdict = target === undefined ? "" : `<= ${target}  ${median <= target * 1.005 ? "ok" : "MISSED"}`;
  return [name, figure(median), unit, spread, verdict];
}

/** Plain text: one line for each metric with median, unit, min - max over the runs, and the target. */
export function render(sections: readonly Section[]): string {
  const table = sections.flatMap(({ metrics }) => metrics.map(columns));
  const width = (column: number): number => Math.max(0, ...table.map((row) => (row[column] ?? "").length));
  const widths = [0, 1, 2, 3, 4].map(width);
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 1 || i === 3 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join("  ").trimEnd();
  return sections.map(({ title, metrics, notes = [] }) =>
    [`${title}`, ...metrics.map((metric) => `  ${line(columns(metric))}`), ...notes.map((note) => `  ${note}`), ""].join("\n")
  ).join("\n");
}
