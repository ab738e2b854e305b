import * as v from "valibot";
import { count, form, type RecordForm } from "./records.ts";

// What the chat stores of files and their ways.

/** Some bytes of a file, in their place. */
const chunk = v.object({ bytes: v.instance(Uint8Array) });
export interface Chunk {
  readonly bytes: Uint8Array;
}
export const chunkForm: RecordForm<Chunk> = form<Chunk>(chunk as v.GenericSchema<unknown, Chunk>);

/** A file that comes through a connection of its own, which this side makes. */
const fetching = v.object({
  item: v.string(),
  /** The contact or the member who sends it. */
  owner: v.string(),
  user: v.string(),
  /** As it was sent: by it the sender knows the file. */
  fileName: v.string(),
  /** Null until it is made. */
  connection: v.nullable(v.string()),
});
export type Fetching = Readonly<v.InferOutput<typeof fetching>>;
export const fetchingForm: RecordForm<Fetching> = form<Fetching>(fetching);

/** An own file on its way to somebody who accepted it. It stays afterwards, so that nobody gets a file twice. */
const sending = v.object({
  item: v.string(),
  /** The contact or the member who gets it. */
  owner: v.string(),
  user: v.string(),
  /** Of the connection that the other side made for the file; null: it goes between the messages. */
  link: v.nullable(v.string()),
  connection: v.nullable(v.string()),
  /** The link is being followed just now. */
  isJoining: v.boolean(),
  /** The agent's numbers of the chunks that it was given, in order. */
  handed: v.array(count),
  isDone: v.boolean(),
});
export type Sending = Readonly<v.InferOutput<typeof sending>>;
export const sendingForm: RecordForm<Sending> = form<Sending>(sending);
