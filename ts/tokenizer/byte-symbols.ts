// The 256 printable characters that byte-level vocabularies write bytes with: a byte that is a
// visible Latin-1 character stands for itself, the others follow from U+0100 on.

/** The character for each byte. */
export const BYTE_SYMBOLS: readonly string[] = symbols(); // [256]

function symbols(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(visible ? byte : next++);
  });
}
