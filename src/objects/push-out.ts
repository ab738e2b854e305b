import { type PushAnswer, type PushRequest, Unreachable } from "../push/provider.ts";
import { unshared } from "../push/unshared.ts";
import type { Env } from "./env.ts";

/** Milliseconds for a push service to answer; on this machine whoever posts gives up before. */
const PATIENCE = 35_000;
/** Bytes of an answer that are read; the rest is not waited for. */
const LONGEST_ANSWER = 8 * 1024;

async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < LONGEST_ANSWER) {
    const { value, done } = await reader.read();
    if (done) break;
    chunks.push(value as Uint8Array);
    length += (value as Uint8Array).length;
  }
  await reader.cancel();
  return new TextDecoder().decode(await new Blob(chunks.map(unshared)).arrayBuffer()).slice(0, LONGEST_ANSWER);
}

/** Posts to a push service, without following where it points to. @throws Unreachable */
export async function post(env: Env, { url, headers, body }: PushRequest): Promise<PushAnswer> {
  const patience = new AbortController();
  // Cleared at the end, unlike `AbortSignal.timeout`: what is left of a timer keeps the object in memory.
  const timer = setTimeout(() => patience.abort(new Error("it took too long")), PATIENCE);
  const init = {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : unshared(body),
    redirect: "manual",
    signal: patience.signal,
  } satisfies RequestInit;
  try {
    const response = env.PUSHES ? await env.PUSHES.fetch(url, init) : await fetch(url, init);
    const text = await readStart(response);
    return { status: response.status, header: (name) => response.headers.get(name), body: text };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Unreachable(`the push service did not answer: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
