import { equal } from "#crypto/bytes";
import { refuse } from "../errors.ts";
import { answeredExtensions, EXTENSION, extensions } from "../extensions.ts";
import { SMP, SMP_NAME } from "../suite.ts";
import { numbers, protocolNames } from "./client-hello.ts";
import { type HandshakeMessage, readMessage, readPart } from "./message.ts";

/**
 * RFC 8446 section 4.3.1: the server must have chosen `smp/1` (RFC 7301). It may name groups that it likes better.
 * @throws TlsError
 */
export function readEncryptedExtensions(message: HandshakeMessage): void {
  const where = "encrypted_extensions";
  const list = readMessage(message, where, extensions);
  const types = answeredExtensions(list, where, ["application_layer_protocol_negotiation", "supported_groups"]);
  const groups = types.get(EXTENSION.supported_groups);
  if (groups !== undefined) readPart(groups, "supported_groups", numbers);
  const chosen = types.get(EXTENSION.application_layer_protocol_negotiation);
  if (chosen === undefined) {
    return refuse("no_application_protocol", `the server did not choose ${SMP}: it is no server of SMP`);
  }
  const [name, ...others] = readPart(chosen, "application_layer_protocol_negotiation", protocolNames);
  if (name === undefined || others.length > 0 || !equal(name, SMP_NAME)) {
    refuse("illegal_parameter", `the server chose another application protocol than ${SMP}`);
  }
}
