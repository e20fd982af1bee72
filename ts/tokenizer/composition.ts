// Composition (NFC, NFKC) that knows where each character came from: the text is decomposed, and
// what follows a starter is joined with it where the two make one character.

import { compareClasses, eachPart, hasNothingFor, type Form } from './decomposition.ts';
import type { NormalizedText } from './normalized-text.ts';
import { Rewriting, type Part } from './rewriting.ts';
import { classOf, isNotDecomposed, NONSTARTER } from './unicode.ts';

export function compose(form: Form, from: NormalizedText): NormalizedText {
  if (hasNothingFor(form, from.text)) return from;
  const rewriting = new Rewriting(from);
  const composer = new Composer((part) => rewriting.push(part.codePoint, part.change));
  eachPart(form, from.text, (part) => composer.take(part));
  composer.finish();
  return rewriting.finish();
}

class Composer {
  private starter: Part | null = null;
  private marks: Part[] = []; // behind the starter, none of which joined it

  constructor(private readonly write: (part: Part) => void) {}

  take(part: Part): void {
    const isStarter = (classOf(part.codePoint) & NONSTARTER) === 0;
    if (this.starter === null) {
      if (isStarter) this.starter = part;
      else this.write(part);
      return;
    }
    const last = this.marks.at(-1);
    // A mark of the same class in between blocks it, and so does any mark a starter.
    const blocked = last !== undefined && (isStarter || compareClasses(last.codePoint, part.codePoint) >= 0);
    const composed = blocked ? null : composedOf(this.starter.codePoint, part.codePoint);
    if (composed !== null) {
      this.starter = { codePoint: composed, change: this.starter.change + part.change - 1 };
    } else if (isStarter) {
      this.finish();
      this.starter = part;
    } else {
      this.marks.push(part);
    }
  }

  finish(): void {
    if (this.starter !== null) this.write(this.starter);
    this.marks.forEach(this.write);
    this.starter = null;
    this.marks = [];
  }
}

/** The one character that decomposes into the two, in the library's Unicode, or null. */
function composedOf(first: number, second: number): number | null {
  const pair = String.fromCodePoint(first, second);
  const composed = pair.normalize('NFC');
  const codePoint = composed.codePointAt(0)!;
  if (composed.length !== (codePoint > 0xffff ? 2 : 1) || isNotDecomposed(codePoint)) return null;
  // Marks that had to change places first do not join one by one.
  const apart = String.fromCodePoint(first).normalize('NFD') + String.fromCodePoint(second);
  return composed.normalize('NFD') === apart ? codePoint : null;
}
