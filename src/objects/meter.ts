/**
 * What the objects of this isolate have cost so far, for the benchmark and for operators who watch their bill. Not
 * persisted, and on Cloudflare only a sample: there are many isolates.
 */
export const meter = {
  /** Calls that queue objects received. */
  queueRequests: 0,
  /** Calls that queue objects made to push to a connection. */
  pushes: 0,
  rowsWritten: 0,
  rowsRead: 0,
};
