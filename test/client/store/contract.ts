import { type Change, NAME_LIMIT, type Range } from "../../../client/store/store.ts";
import { neverDiffers } from "./contract-random.ts";
import { type ContractCase, hasCode, keysOf, many, opened, put, same, throwsUsage } from "./support/contract.ts";

const drop = (table: string, key: string): Change => ({ table, key, value: null });
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

/** What every store does, wherever it keeps its data. Plain functions, so that a page can run them as well. */
export const storeContract: readonly ContractCase[] = [
  {
    name: "gives back what was written, and null for what was not",
    run: opened(async (store) => {
      await store.write([put("queues", "one", 1, 2, 3), put("queues", "two", 4)]);
      same(await store.read("queues", "one"), Uint8Array.of(1, 2, 3));
      same(await store.read("queues", "three"), null);
      same(await store.read("messages", "one"), null);
      same(await store.list("messages"), []);
      await store.write([put("queues", "one", 9), drop("queues", "two"), drop("queues", "never there")]);
      same(await store.list("queues"), [{ key: "one", value: Uint8Array.of(9) }]);
    }),
  },
  {
    name: "keeps values of any length, from none to 1 MB",
    run: opened(async (store) => {
      const lengths = [0, 1, 16_384, 1_048_576];
      await store.write(lengths.map((length) => ({ table: "blobs", key: `${length}`, value: bytes(length) })));
      for (const length of lengths) same(await store.read("blobs", `${length}`), bytes(length));
      const listed = await store.list("blobs");
      same(listed.map(({ value }) => value.length).sort((a, b) => a - b), lengths);
    }),
  },
  {
    name: "takes copies and gives copies",
    run: opened(async (store) => {
      const large = bytes(1000);
      const part = large.subarray(100, 103);
      const written = store.write([{ table: "t", key: "k", value: part }]);
      large.fill(0);
      await written;
      const first = await store.read("t", "k");
      same(first, bytes(1000).subarray(100, 103));
      same(Object.getPrototypeOf(first) === Uint8Array.prototype, true);
      same(first?.buffer.byteLength, 3);
      first?.fill(0);
      const [entry] = await store.list("t");
      entry?.value.fill(0);
      same(await store.read("t", "k"), bytes(1000).subarray(100, 103));
    }),
  },
  {
    name: "orders keys by code unit",
    run: opened(async (store) => {
      const long = "a".repeat(NAME_LIMIT);
      const keys = ["9", "10", "a", "B", "_", "a b", "a/b", "a0", "aa", "~", " ", "%", "'", '"', long];
      await store.write(keys.map((key) => put("t", key)));
      const ordered = [" ", '"', "%", "'", "10", "9", "B", "_", "a", "a b", "a/b", "a0", "aa", long, "~"];
      same(await keysOf(store, "t"), ordered);
      same(await keysOf(store, "t", { reverse: true }), ordered.toReversed());
    }),
  },
  {
    name: "finds keys by prefix, whatever characters it holds",
    run: opened(async (store) => {
      const keys = ["a", "a%", "a%1", "a_", "a~", "a~~", "ab", "b", "A", "*"];
      await store.write(keys.map((key) => put("t", key)));
      const found = (prefix: string): Promise<string[]> => keysOf(store, "t", { prefix });
      same(await found(""), ["*", "A", "a", "a%", "a%1", "a_", "ab", "a~", "a~~", "b"]);
      same(await found("a"), ["a", "a%", "a%1", "a_", "ab", "a~", "a~~"]);
      same(await found("a%"), ["a%", "a%1"]);
      same(await found("a~"), ["a~", "a~~"]);
      same(await found("a~~~"), []);
      same(await found("*"), ["*"]);
      same(await found("ab"), ["ab"]);
    }),
  },
  {
    name: "is read in pages, up and down",
    run: opened(async (store) => {
      await store.write(many("t", 10));
      const all = await keysOf(store, "t");
      for (const reverse of [false, true]) {
        const read: string[] = [];
        let page = await keysOf(store, "t", { limit: 3, reverse });
        for (let pages = 0; pages < 5; pages++) {
          read.push(...page);
          page = await keysOf(store, "t", { limit: 3, reverse, after: read.at(-1) ?? "" });
        }
        same(read, reverse ? all.toReversed() : all);
      }
      same(await keysOf(store, "t", { limit: 0 }), []);
      same(await keysOf(store, "t", { limit: 1, reverse: true }), ["0009"]);
      same(await keysOf(store, "t", { limit: 100, reverse: true }), all.toReversed());
      // A page may go on after a key that is gone by now.
      await store.write([drop("t", "0004")]);
      same(await keysOf(store, "t", { after: "0004", limit: 1 }), ["0005"]);
      same(await keysOf(store, "t", { after: "0004", limit: 1, reverse: true }), ["0003"]);
    }),
  },
  {
    name: "goes on within a prefix, from inside it or from outside",
    run: opened(async (store) => {
      await store.write(["a1", "b1", "b2", "b3", "c1"].map((key) => put("t", key)));
      const found = (range: Range): Promise<string[]> => keysOf(store, "t", { prefix: "b", ...range });
      same(await found({ after: "b1" }), ["b2", "b3"]);
      same(await found({ after: "b3" }), []);
      same(await found({ after: "a1" }), ["b1", "b2", "b3"]);
      same(await found({ after: "c1" }), []);
      same(await found({ after: "b" }), ["b1", "b2", "b3"]);
      same(await found({ after: "b3", reverse: true }), ["b2", "b1"]);
      same(await found({ after: "b1", reverse: true }), []);
      same(await found({ after: "a1", reverse: true }), []);
      same(await found({ after: "c1", reverse: true }), ["b3", "b2", "b1"]);
    }),
  },
  {
    name: "keeps tables apart and knows which there are",
    run: opened(async (store) => {
      same(await store.tables(), []);
      for (const table of ["t", "t/", "t/k", "T", "t k"]) await store.write([put(table, "k"), put(table, "/k")]);
      same(await store.tables(), ["T", "t", "t k", "t/", "t/k"]);
      same(await keysOf(store, "t"), ["/k", "k"]);
      await store.write([drop("t/", "k"), drop("t/", "/k"), drop("T", "k")]);
      same(await store.tables(), ["T", "t", "t k", "t/k"]);
      same(await keysOf(store, "t/k"), ["/k", "k"]);
    }),
  },
  {
    name: "does all of a write or nothing",
    run: opened(async (store) => {
      await store.write([put("t", "stays", 1)]);
      const refused: readonly unknown[] = [
        put("", "key"),
        put("t", ""),
        put("t", "né"),
        put("t", "two\nlines"),
        put("t", "zero\0"),
        put("t", "k".repeat(NAME_LIMIT + 1)),
        put("tab\tle", "key"),
        { table: "t", key: "k", value: "text" },
        { table: "t", key: "k", value: [1, 2] },
        { table: "t", key: "k" },
      ];
      for (const change of refused) {
        const changes = [put("t", "new"), drop("t", "stays"), change as Change, put("t", "newer")];
        await throwsUsage(store.write(changes));
        same(await store.list("t"), [{ key: "stays", value: Uint8Array.of(1) }]);
      }
      same(await store.tables(), ["t"]);
    }),
  },
  {
    name: "takes the last of several changes of one record",
    run: opened(async (store) => {
      await store.write([put("t", "a", 1), put("t", "a", 2), put("t", "b", 1), drop("t", "b")]);
      await store.write([drop("t", "c"), put("t", "c", 3)]);
      same(await store.list("t"), [{ key: "a", value: Uint8Array.of(2) }, { key: "c", value: Uint8Array.of(3) }]);
      await store.write([]);
      same(await keysOf(store, "t"), ["a", "c"]);
    }),
  },
  {
    name: "does things in the order in which they are asked, awaited or not",
    run: opened(async (store) => {
      const steps = [
        store.write([put("t", "k", 1)]),
        store.read("t", "k"),
        store.write([put("t", "k", 2)]),
        store.list("t"),
        store.write([drop("t", "k")]),
        store.read("t", "k"),
        store.tables(),
      ];
      const [, first, , second, , third, tables] = await Promise.all(steps);
      same([first, second, third, tables], [Uint8Array.of(1), [{ key: "k", value: Uint8Array.of(2) }], null, []]);
    }),
  },
  {
    name: "refuses places and ranges that make no sense",
    run: opened(async (store) => {
      await throwsUsage(store.read("t", ""));
      await throwsUsage(store.read("", "k"));
      await throwsUsage(store.read("t", "naïve"));
      await throwsUsage(store.list(""));
      for (const limit of [-1, 1.5, Number.NaN]) await throwsUsage(store.list("t", { limit }));
      await throwsUsage(store.list("t", { after: "" }));
      await throwsUsage(store.list("t", { prefix: "\u{1f511}" }));
      // What is refused does no harm.
      same(await store.list("t", { limit: Number.POSITIVE_INFINITY }), []);
    }),
  },
  {
    name: "does nothing once it is closed, but finishes what was asked before",
    run: async (newPlace) => {
      const place = await newPlace();
      const store = await place.open();
      await store.write([put("t", "a", 1)]);
      const last = store.write([put("t", "b", 2)]);
      const read = store.read("t", "a");
      await Promise.all([store.close(), store.close()]);
      await last;
      same(await read, Uint8Array.of(1));
      await hasCode(store.read("t", "a"), "CLOSED");
      await hasCode(store.list("t"), "CLOSED");
      await hasCode(store.tables(), "CLOSED");
      await hasCode(store.write([put("t", "c")]), "CLOSED");
      await store.close();
      const again = await place.open();
      same(await again.list("t"), [{ key: "a", value: Uint8Array.of(1) }, { key: "b", value: Uint8Array.of(2) }]);
      await again.close();
    },
  },
  {
    name: "holds ten thousand records",
    run: opened(async (store) => {
      await store.write(many("t", 10_000));
      same((await store.list("t")).length, 10_000);
      same(await keysOf(store, "t", { prefix: "12", limit: 2, reverse: true }), ["1299", "1298"]);
      same(await keysOf(store, "t", { after: "9998" }), ["9999"]);
    }),
  },
  { name: "never differs from a list that is searched from end to end", run: neverDiffers },
];

/** For stores that own where they keep their data. */
export const ownershipContract: readonly ContractCase[] = [
  {
    name: "is open once at a time",
    run: async (newPlace) => {
      const place = await newPlace();
      const store = await place.open();
      await store.write([put("t", "k", 1)]);
      await hasCode(place.open(), "BUSY");
      same(await store.read("t", "k"), Uint8Array.of(1));
      await store.close();
      const next = await place.open();
      same(await next.read("t", "k"), Uint8Array.of(1));
      // The first one is closed; closing it again must not give the second one's data free.
      await store.close();
      await hasCode(place.open(), "BUSY");
      await next.close();
    },
  },
];
