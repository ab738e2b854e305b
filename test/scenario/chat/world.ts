import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { befriend, Talker } from "./talker.ts";

type Options = ConstructorParameters<typeof Talker>[2];

export interface World {
  /** Somebody new, running. */
  talker(name: string, options?: Options): Promise<Talker>;
  /** Two people who are connected. */
  friends(options?: Options): Promise<[Talker, Talker]>;
  /** Errors that match are no surprise in this test. */
  expectError(pattern: RegExp): void;
  /** Ends the relay as a power cut does; it comes back at the same address. */
  restartRelay(): Promise<void>;
  readonly folder: string;
}

const LIMITS = { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0" };

/** A relay for all tests of a file, and people who are ended after each; errors that nobody expected fail it. */
export function world(): World {
  let relay: RelayProcess;
  const folder = temporaryFolder();
  const people: Talker[] = [];
  let expected: RegExp[] = [];
  beforeAll(async () => {
    relay = await RelayProcess.start(folder, LIMITS);
  });
  afterAll(async () => {
    await relay.stop();
    removeFolder(folder);
  });
  afterEach(async () => {
    const errors = people.flatMap((one) => one.errors).filter((error) => !expected.some((one) => one.test(error)));
    expected = [];
    await Promise.all(people.splice(0).map((one) => one.stop()));
    expect(errors).toEqual([]);
  });
  async function talker(name: string, options: Options = {}): Promise<Talker> {
    const one = new Talker(name, [relay.info], options);
    people.push(one);
    return one.start();
  }
  return {
    folder,
    talker,
    async friends(options) {
      const pair: [Talker, Talker] = [await talker("Alice", options), await talker("Bob", options)];
      await befriend(...pair);
      return pair;
    },
    async restartRelay() {
      const { port } = new URL(relay.info.url);
      await relay.kill();
      relay = await RelayProcess.start(folder, LIMITS, Number(port));
    },
    expectError: (pattern) => void expected.push(pattern),
  };
}
