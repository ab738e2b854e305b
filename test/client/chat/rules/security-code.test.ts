import { describe, expect, it } from "vitest";
import { fromHex } from "#crypto/bytes";
import { codeText, isSameCode } from "../../../../client/chat/rules/security-code.ts";

/** A code that an official terminal showed, and the bytes that both sides had. */
const BYTES = fromHex("1f3ed756f4ce78b64a4f27280fa9c0e8fda77b5aee3d8dad5b93800855240a38");
const SHOWN = "14132 72904 38986 27842 82641 28767 87563 88687 85370 11137 62896 46855 27914 86258 55800 88";

describe("a security code", () => {
  it("is shown as official apps show it", () => {
    expect(codeText(BYTES)).toBe(SHOWN);
    expect(codeText(Uint8Array.of(...new Uint8Array(30), 1, 0))).toBe("256");
  });

  it("is compared without regard to blanks, in digits or in hex", () => {
    const [digits, hex] = [SHOWN.replaceAll(" ", ""), "1f3ed756f4ce78b64a4f27280fa9c0e8fda77b5aee3d8dad5b93800855240a38"];
    for (const same of [SHOWN, digits, ` ${digits}\n`, hex, hex.toUpperCase().replace(/(.{8})/gu, "$1 ")]) {
      expect(isSameCode(BYTES, same), same).toBe(true);
    }
    for (const other of ["", digits.slice(1), `${digits}0`, hex.slice(2), "00".repeat(32)]) {
      expect(isSameCode(BYTES, other), other).toBe(false);
    }
  });
});
