import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  atPosition,
  beginLineage,
  generationOf,
  judge,
  laterConnection,
  type Lineage,
  movedTo,
  relate,
} from "../../../client/archive/lineage.ts";

const name = (number: number): string => number.toString(16).padStart(32, "0");
const start = beginLineage(name(1), name(100));

/** A phone writes an archive after ten changes; a tablet imports it. */
const phone = atPosition(start, 10);
const tablet = atPosition(movedTo(phone, name(101)), 5);

describe("the lineage of profiles", () => {
  it("knows a copy that went on from one that stayed behind", () => {
    expect(relate(phone, tablet)).toBe("older");
    expect(relate(tablet, phone)).toBe("newer");
    expect(relate(phone, atPosition(phone, 11))).toBe("older");
    expect(relate(phone, phone)).toBe("same");
    expect(generationOf(tablet)).toBe(1);
  });

  it("knows that two imports of one archive are a fork, even when nothing has changed since", () => {
    const other = movedTo(phone, name(102));
    expect(relate(tablet, other)).toBe("forked");
    expect(relate(movedTo(phone, name(101)), other)).toBe("forked");
  });

  it("knows that the old device went on after its archive was imported", () => {
    expect(relate(atPosition(phone, 12), tablet)).toBe("forked");
  });

  it("does not compare profiles that have nothing to do with each other", () => {
    expect(relate(phone, beginLineage(name(2), name(100)))).toBe("unrelated");
  });

  it("agrees with a tree of copies, whatever happens to them", () => {
    const step = fc.record({ copy: fc.nat(5), isImport: fc.boolean() }, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        // Each node: its lineage and the nodes that it comes from.
        const nodes: { readonly lineage: Lineage; readonly from: ReadonlySet<number> }[] = [{ lineage: start, from: new Set([0]) }];
        const latest = new Map<string, number>([[name(100), 0]]);
        for (const [index, { copy, isImport }] of steps.entries()) {
          const copies = [...latest.values()];
          // Every node can be imported; only the latest of a copy can go on.
          const base = (isImport ? copy * 7 : copies[copy % copies.length] ?? 0) % nodes.length;
          const { lineage, from } = nodes[base] ?? { lineage: start, from: new Set<number>() };
          const last = lineage.trail.at(-1);
          const next = isImport ? movedTo(lineage, name(200 + index)) : atPosition(lineage, (last?.position ?? 0) + 1);
          latest.set(isImport ? name(200 + index) : (last?.copy ?? ""), nodes.length);
          nodes.push({ lineage: next, from: new Set([...from, nodes.length]) });
        }
        for (const [a, first] of nodes.entries()) {
          for (const [b, second] of nodes.entries()) {
            const expected = a === b ? "same" : second.from.has(a) ? "older" : first.from.has(b) ? "newer" : "forked";
            expect(relate(first.lineage, second.lineage)).toBe(expected);
          }
        }
      }),
    );
  });
});

describe("an archive is judged before anything of it is used", () => {
  const none = { here: null, seen: null, fence: "unknown" } as const;

  it("comes into an empty client", () => {
    expect(judge({ ...none, archive: phone })).toMatchObject({ action: "import", mode: "beside", connections: "continue" });
  });

  it("takes the place of an older copy, and stands beside strangers", () => {
    expect(judge({ ...none, archive: tablet, here: phone })).toMatchObject({ action: "import", reason: "continues", mode: "replace" });
    const stranger = beginLineage(name(2), name(7));
    expect(judge({ ...none, archive: phone, here: stranger })).toMatchObject({ action: "import", reason: "beside", mode: "beside" });
  });

  it("never brings an old ratchet into a client that has gone on", () => {
    expect(judge({ ...none, archive: phone, here: tablet })).toMatchObject({ action: "keep", mode: "history", connections: "here" });
    const fork = atPosition(phone, 12);
    expect(judge({ ...none, archive: fork, here: tablet })).toMatchObject({ action: "ask", reason: "forked", connections: "here" });
    expect(judge({ ...none, archive: tablet, here: tablet })).toMatchObject({ action: "nothing" });
  });

  it("asks when others have seen a later copy, and never continues its ratchets", () => {
    expect(judge({ ...none, archive: phone, seen: tablet })).toMatchObject({ action: "ask", reason: "movedOn", connections: "resync" });
    expect(judge({ ...none, archive: tablet, seen: phone })).toMatchObject({ action: "import", connections: "continue" });
    expect(judge({ ...none, archive: phone, fence: "partly" })).toMatchObject({ action: "ask", connections: "resync" });
    expect(judge({ ...none, archive: phone, fence: "closed" })).toMatchObject({ action: "ask", reason: "fenced", connections: "lost" });
  });

  it("goes on with a ratchet only if no evidence speaks against it", () => {
    const lineages = [phone, tablet, atPosition(phone, 12), movedTo(phone, name(102)), beginLineage(name(2), name(7)), start];
    const lineage = fc.constantFrom(...lineages);
    const evidence = fc.record({
      archive: lineage,
      here: fc.option(lineage),
      seen: fc.option(lineage),
      fence: fc.constantFrom("unknown" as const, "open" as const, "partly" as const, "closed" as const),
    }, { noNullPrototype: true });
    fc.assert(fc.property(evidence, (given) => {
      const { connections, explanation } = judge(given);
      expect(explanation).not.toBe("");
      if (connections !== "continue") return;
      expect(["unknown", "open"]).toContain(given.fence);
      if (given.here) expect(["newer", "unrelated"]).toContain(relate(given.archive, given.here));
      if (given.seen) expect(["newer", "same", "unrelated"]).toContain(relate(given.archive, given.seen));
    }));
  });
});

it("of two states of a connection the one that knows more is taken, if there is one", () => {
  expect(laterConnection({ sent: 4, received: 2 }, { sent: 4, received: 2 })).toBe("same");
  expect(laterConnection({ sent: 5, received: 2 }, { sent: 4, received: 2 })).toBe("first");
  expect(laterConnection({ sent: 4, received: 2 }, { sent: 4, received: 3 })).toBe("second");
  expect(laterConnection({ sent: 5, received: 2 }, { sent: 4, received: 3 })).toBe("resync");
});
