// Checked access to the objects of tokenizer.json and its relatives: a field that breaks a rule is
// refused by a `BAD_FILE` that names file, field, rule and offender.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';

/** Of a sequence; known files have up to five. */
const MAX_STAGES = 32;

export class JsonSection {
  private readonly json: Record<string, unknown>;

  /** `file` and `path`, the fields that lead to the object, are for messages. */
  constructor(private readonly file: string, json: unknown, private readonly path = '') {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new LongformerError('BAD_FILE', this.name, `must be an object, got ${quoted(json)}`);
    }
    this.json = json as Record<string, unknown>;
  }

  /** Where the object stands: `dir/tokenizer.json: model`. */
  get name(): string {
    return this.path === '' ? this.file : `${this.file}: ${this.path}`;
  }

  /** The field, or null where it is missing. */
  get(field: string): unknown {
    return Object.hasOwn(this.json, field) ? this.json[field] ?? null : null;
  }

  entries(): [string, unknown][] {
    return Object.entries(this.json);
  }

  refuse(field: string, rule: string): LongformerError {
    return new LongformerError('BAD_FILE', this.nameOf(field), `${rule}, got ${quoted(this.get(field))}`);
  }

  section(field: string): JsonSection {
    return new JsonSection(this.file, this.get(field), this.pathOf(field));
  }

  sectionOrNull(field: string): JsonSection | null {
    return this.get(field) === null ? null : this.section(field);
  }

  list(field: string): unknown[] {
    const value = this.get(field);
    if (!Array.isArray(value)) throw this.refuse(field, 'must be a list');
    return value as unknown[];
  }

  sections(field: string): JsonSection[] {
    return this.list(field).map((entry, i) => new JsonSection(this.file, entry, `${this.pathOf(field)}[${i}]`));
  }

  /** The stages of a sequence. */
  stages(field: string): JsonSection[] {
    const { length } = this.list(field);
    if (length > MAX_STAGES) throw new LongformerError('BAD_FILE', this.nameOf(field), `must have at most ${MAX_STAGES} entries, has ${length}`);
    return this.sections(field);
  }

  string(field: string, absent?: string): string {
    const value = this.get(field) ?? absent;
    if (typeof value !== 'string') throw this.refuse(field, 'must be a string');
    return value;
  }

  stringOrNull(field: string): string | null {
    return this.get(field) === null ? null : this.string(field);
  }

  boolean(field: string, absent: boolean): boolean {
    const value = this.get(field) ?? absent;
    if (typeof value !== 'boolean') throw this.refuse(field, 'must be true or false');
    return value;
  }

  integer(field: string, min: number, max: number, absent?: number): number {
    const value = this.get(field) ?? absent;
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      throw this.refuse(field, `must be a whole number from ${min} to ${max}`);
    }
    return value as number;
  }

  nameOf(field: string): string {
    return `${this.file}: ${this.pathOf(field)}`;
  }

  /** Fields of the format are words; whatever else a file has for a field is quoted. */
  private pathOf(field: string): string {
    if (!/^\w{1,64}$/.test(field)) return `${this.path}[${quoted(field)}]`;
    return this.path === '' ? field : `${this.path}.${field}`;
  }
}
