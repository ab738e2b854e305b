import { ArchiveError, TAKE_AGAIN } from "../errors.ts";
import { type ByteSource, streamOf } from "../source.ts";
import { crc32 } from "./crc32.ts";
import { findContent, type ZipDirectory, type ZipEntry } from "./zip.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Every platform has this stream (WHATWG Compression); packed bytes are only read as fast as the others are taken. */
function inflated(packed: AsyncGenerator<Uint8Array, void, undefined>): ReadableStream<Uint8Array> {
  const source = new ReadableStream<Bytes>({
    async pull(controller) {
      const next = await packed.next();
      if (next.done === true) controller.close();
      else controller.enqueue(new Uint8Array(next.value));
    },
    async cancel() {
      await packed.return();
    },
  });
  return source.pipeThrough(new DecompressionStream("deflate-raw"));
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isDone = done;
      if (value === undefined) return;
      yield value;
    }
  } finally {
    // Whoever stops early frees what is below; a stream that failed already says so again, to nobody.
    if (!isDone) await reader.cancel().catch(() => undefined);
  }
}

/**
 * The bytes of a file in the zip, in pieces. What comes before an error was not checked as a whole: size and CRC are
 * known at the end only.
 * @throws ArchiveError DAMAGED, TRUNCATED, HOSTILE (more bytes than announced), READ
 */
export async function* contentOf(
  source: ByteSource,
  directory: ZipDirectory,
  entry: ZipEntry,
): AsyncGenerator<Uint8Array, void, undefined> {
  const shown = JSON.stringify(entry.name);
  const start = await findContent(source, directory, entry);
  const packed = streamOf(source, start, start + entry.packedSize, "the zip");
  const chunks = entry.method === "store" ? packed : chunksOf(inflated(packed));
  let size = 0;
  let crc = 0;
  try {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > entry.size) throw new ArchiveError("HOSTILE", `${shown} is larger than the zip says: do not use it`);
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause;
    throw new ArchiveError("DAMAGED", `${shown} cannot be unpacked: ${TAKE_AGAIN}`, { cause });
  }
  if (size !== entry.size || crc !== entry.crc) {
    throw new ArchiveError("DAMAGED", `${shown} is not what was packed into the zip: ${TAKE_AGAIN}`);
  }
}
