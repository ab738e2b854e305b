import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** Milliseconds for the download. */
const PATIENCE = 180_000;

/** A package that is compared with and nothing else: it never becomes a dependency. */
export interface ForeignPackage {
  readonly name: string;
  readonly version: string;
}

/**
 * Installs a package into the folder and loads it, without running its scripts.
 * @throws whatever npm or the package says
 */
export async function loadForeign(folder: string, { name, version }: ForeignPackage): Promise<unknown> {
  const prefix = join(folder, name.replaceAll(/\W/g, "-"));
  const quietly = ["--no-audit", "--no-fund", "--loglevel=error"];
  const options = ["--no-save", "--no-package-lock", "--ignore-scripts", ...quietly, "--prefix", prefix];
  const args = ["install", ...options, `${name}@${version}`];
  await promisify(execFile)("npm", args, { timeout: PATIENCE });
  const entry = createRequire(join(prefix, "package.json")).resolve(name);
  const module = await import(pathToFileURL(entry).href) as { readonly default?: unknown };
  return module.default ?? module;
}
