import { isWildcardSubject } from '../protocol/subject.js';

/** Which subjects are meant: one, or all that a pattern takes. Here `$` hides nothing. */
export class SubjectFilter {
  readonly text: string;
  readonly isLiteral: boolean;
  readonly #tokens: readonly string[];

  /** @param text a valid subject or pattern, one byte a character */
  constructor(text: string) {
    this.text = text;
    this.isLiteral = !isWildcardSubject(text);
    this.#tokens = text.split('.');
  }

  get isAll(): boolean {
    return this.text === '>';
  }

  takes(subject: string): boolean {
    if (this.isAll || this.isLiteral) return this.isAll || this.text === subject;
    const tokens = subject.split('.');
    for (let i = 0; i < this.#tokens.length; i++) {
      const wanted = this.#tokens[i];
      if (wanted === '>') return tokens.length > i;
      if (i >= tokens.length || (wanted !== '*' && wanted !== tokens[i])) return false;
    }
    return tokens.length === this.#tokens.length;
  }
}
