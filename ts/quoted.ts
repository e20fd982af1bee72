// How an offender that comes from a file is shown in a message.

/** Longer values are cut: a hostile file must not write the message. */
const MAX_LENGTH = 80; // characters

/** `value` as JSON, cut to a length that fits a line. */
export function quoted(value: unknown): string {
  const json = jsonOf(typeof value === 'string' ? value.slice(0, MAX_LENGTH + 1) : value);
  return json.length <= MAX_LENGTH ? json : `${json.slice(0, MAX_LENGTH)}...`;
}

function jsonOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // JSON.parse reads what is nested deeper than JSON.stringify can write.
    return 'something that JSON cannot write';
  }
}
