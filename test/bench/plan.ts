/** How much is measured. */
export interface Plan {
  readonly rounds: number;
  /** Rounds that may be measured again because something else kept the machine busy. */
  readonly spareRounds: number;
  /** Milliseconds of one run. */
  readonly run: number;
  /** Milliseconds of a run before the first round, which do not count. */
  readonly warmUp: number;
  readonly queues: readonly number[];
  /** Connections of senders, and as many of recipients. */
  readonly pairs: number;
  readonly echoConnections: number;
  /** Repetitions of one cryptographic step. */
  readonly stepTimes: number;
  readonly idleConnections: number;
  readonly idleQueues: number;
  /** Milliseconds after which idle objects have left memory; null: not waited for. */
  readonly eviction: number | null;
  readonly warmRuns: number;
  readonly coldRuns: number;
  readonly ratchetRounds: number;
  /** Connections of two agents that are made one after the other, of each kind. */
  readonly meetings: number;
  /** Connections of the agent that has many. */
  readonly crowd: number;
  readonly crowdRounds: number;
  /** Messages that wait in one connection; a queue of the relay holds 128. */
  readonly backlog: number;
  /** Messages in the conversation that a page is opened with. */
  readonly stored: number;
  /** Times that the page is opened, and messages from one browser to another. */
  readonly openings: number;
  readonly talks: number;
  /** Devices that are registered for notifications, step by step, and how many of the new ones are told of a message. */
  readonly devices: readonly number[];
  readonly notifications: number;
}

export const FULL: Plan = {
  rounds: 5,
  spareRounds: 2,
  run: 2500,
  warmUp: 4000,
  queues: [1, 16, 256],
  pairs: 8,
  echoConnections: 8,
  stepTimes: 2500,
  idleConnections: 1000,
  idleQueues: 1000,
  eviction: 15_000,
  warmRuns: 5,
  coldRuns: 3,
  ratchetRounds: 41,
  meetings: 21,
  crowd: 1000,
  crowdRounds: 3,
  backlog: 100,
  stored: 10_000,
  openings: 7,
  talks: 41,
  devices: [100, 1000, 10_000],
  notifications: 200,
};

/** For continuous integration: fewer and shorter runs of the same. */
export const QUICK: Plan = {
  ...FULL,
  rounds: 2,
  spareRounds: 0,
  run: 1000,
  warmUp: 1000,
  stepTimes: 500,
  idleConnections: 300,
  eviction: null,
  warmRuns: 2,
  coldRuns: 1,
  ratchetRounds: 5,
  meetings: 3,
  crowd: 100,
  crowdRounds: 1,
  stored: 2000,
  openings: 3,
  talks: 11,
  devices: [40, 200],
  notifications: 40,
};
