import { MessageError } from "./errors.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json;
}

/** One JSON structure, both directions from one value. `read` throws MessageError and nothing else. */
export interface JsonCodec<T> {
  read(json: Json): T;
  write(value: T): Json;
}

/** A field that may be absent. Null counts as absent and is never written. */
export interface OptionalField<T> {
  readonly optional: JsonCodec<T>;
}

type IsOptional<T, K extends keyof T> = Record<never, never> extends Pick<T, K> ? true : false;

/** Of every field its codec; of one that may be absent an {@link optional} one. */
export type Fields<T> = {
  readonly [K in keyof T]-?: IsOptional<T, K> extends true
    ? OptionalField<Exclude<T[K], undefined>>
    : JsonCodec<T[K]>;
};

/** Runs `read`, and puts the field before the path of what it throws. */
export function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof MessageError ? error.within(field) : error;
  }
}

export function isObject(json: Json): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** @throws MessageError when it is not an object. */
export function expectObject(json: Json): JsonObject {
  if (!isObject(json)) throw new MessageError("must be an object");
  return json;
}

/** The value of an own field; undefined when it is absent or null. */
export function fieldOf(source: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(source, name) ? (source[name] ?? undefined) : undefined;
}

export function optional<T>(codec: JsonCodec<T>): OptionalField<T> {
  return { optional: codec };
}

/** An object with these fields. Others are ignored in reading; absent ones are left out in writing. */
export function object<T extends object>(fields: Fields<T>): JsonCodec<T> {
  const entries = Object.entries<JsonCodec<unknown> | OptionalField<unknown>>(fields);
  return {
    read(json) {
      const source = expectObject(json);
      const out: Record<string, unknown> = {};
      for (const [name, field] of entries) {
        const value = fieldOf(source, name);
        const codec = "optional" in field ? field.optional : field;
        if (value !== undefined) out[name] = inField(name, () => codec.read(value));
        else if (codec === field) throw new MessageError("is missing", name);
      }
      return out as T;
    },
    write(value) {
      const source = value as Readonly<Record<string, unknown>>;
      const out: Record<string, Json> = {};
      for (const [name, field] of entries) {
        const codec = "optional" in field ? field.optional : field;
        if (source[name] !== undefined) out[name] = codec.write(source[name]);
      }
      return out;
    },
  };
}

/** Any text. Halves of surrogate pairs become U+FFFD, so that it can be encoded in UTF-8. */
export const text: JsonCodec<string> = {
  read(json) {
    if (typeof json !== "string") throw new MessageError("must be a string");
    return json.toWellFormed();
  },
  write: (value) => value.toWellFormed(),
};

/** 0, 1, 2... up to 2^53 - 1. */
export const natural: JsonCodec<number> = {
  read(json) {
    if (typeof json !== "number" || !Number.isSafeInteger(json) || json < 0) {
      throw new MessageError("must be a whole number, not negative");
    }
    return json;
  },
  write: (value) => value,
};

export const bool: JsonCodec<boolean> = {
  read(json) {
    if (typeof json !== "boolean") throw new MessageError("must be true or false");
    return json;
  },
  write: (value) => value,
};

/** One of these words. */
export function oneOf<const T extends string>(...words: readonly T[]): JsonCodec<T> {
  return {
    read(json) {
      const word = words.find((known) => known === json);
      if (word === undefined) throw new MessageError(`must be one of ${words.join(", ")}`);
      return word;
    },
    write: (value) => value,
  };
}

/** One of these words, or one that is not known yet. */
export type Open<T extends string> = T | (string & Record<never, never>);

/** {@link Open} words are read as any text. */
export const open: JsonCodec<string> = text;

export function list<T>(codec: JsonCodec<T>): JsonCodec<readonly T[]> {
  return {
    read(json) {
      if (!Array.isArray(json)) throw new MessageError("must be an array");
      return json.map((item: Json, i) => inField(`[${i}]`, () => codec.read(item)));
    },
    write: (values) => values.map((value) => codec.write(value)),
  };
}

/** An object, kept as it came. */
export const rawObject: JsonCodec<JsonObject> = { read: expectObject, write: (value) => value };

interface Typed {
  readonly type: string;
}

/** Of each member of a union the codec of all its fields but the type. */
export type Members<T extends Typed> = {
  readonly [K in T["type"]]: JsonCodec<Omit<Extract<T, { readonly type: K }>, "type">>;
};

/** The text in the field `type`. @throws MessageError */
export function typeOf(source: JsonObject): string {
  return inField("type", () => text.read(fieldOf(source, "type") ?? null));
}

/** A union whose members are told apart by the field `type`. */
export function tagged<T extends Typed>(members: Members<T>): JsonCodec<T> {
  const codecs: ReadonlyMap<string, JsonCodec<object>> = new Map(Object.entries<JsonCodec<object>>(members));
  return {
    read(json) {
      const source = expectObject(json);
      const type = typeOf(source);
      const codec = codecs.get(type);
      if (!codec) throw new MessageError(`'${type.slice(0, 40)}' is not known`, "type");
      return { type, ...codec.read(source) } as unknown as T;
    },
    write(value) {
      const { type, ...fields } = value;
      return { type, ...expectObject(codecs.get(type)?.write(fields) ?? null) };
    },
  };
}

/** Of what has an unknown `type`: all of it, and the type. */
export interface Unknown {
  readonly type: "unknown";
  readonly tag: string;
  readonly json: JsonObject;
}

/** As {@link tagged}; what is not known, or is not as it should be, is kept as it came. */
export function taggedOrUnknown<T extends Typed>(members: Members<T>): JsonCodec<T | Unknown> {
  const known = tagged<T>(members);
  const isUnknown = (value: T | Unknown): value is Unknown => value.type === "unknown";
  return {
    read(json) {
      const source = expectObject(json);
      const tag = typeOf(source);
      try {
        return known.read(source);
      } catch (error) {
        if (!(error instanceof MessageError)) throw error;
        return { type: "unknown", tag, json: source };
      }
    },
    write: (value) => (isUnknown(value) ? value.json : known.write(value)),
  };
}

export function mapped<A, B>(codec: JsonCodec<A>, to: (value: A) => B, from: (value: B) => A): JsonCodec<B> {
  return { read: (json) => to(codec.read(json)), write: (value) => codec.write(from(value)) };
}
