import { utf8 } from "#crypto/bytes";
import { type Codec, DecodeError, EncodeError } from "#protocol/codec";

interface Typed {
  readonly type: string;
}

/** Everything of a member but its type. */
export type FieldsOf<T extends Typed, K extends T["type"]> = Omit<Extract<T, { readonly type: K }>, "type">;

/** Of each member the letters that it begins with, none of which begin with another's, and the layout of the rest. */
export type Layouts<T extends Typed> = {
  readonly [K in T["type"]]: readonly [letters: string, fields: Codec<FieldsOf<T, K>>];
};

/** Letters that tell which member of a union follows, then its fields. */
export function union<T extends Typed>(layouts: Layouts<T>): Codec<T> {
  const entries = Object.entries(layouts) as [T["type"], readonly [string, Codec<object>]][];
  const members = entries.map(([type, [letters, fields]]) => ({ type, letters: utf8(letters), fields }));
  const expected = entries.map(([, [letters]]) => letters).join(", ");
  return {
    write(writer, value, version) {
      const member = members.find(({ type }) => type === value.type);
      if (!member) throw new EncodeError(`'${value.type}' cannot be written here`);
      writer.bytes(member.letters);
      member.fields.write(writer, value, version);
    },
    read(reader, version) {
      const found = members.find(({ letters }) => reader.skip(letters));
      const member = found ?? reader.fail(`expected one of ${expected}`);
      try {
        return { type: member.type, ...member.fields.read(reader, version) } as unknown as T;
      } catch (error) {
        throw error instanceof DecodeError ? error.within(member.type) : error;
      }
    },
  };
}
