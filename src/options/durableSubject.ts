import { isSubject } from './optionTexts.js';

/** What `--durable` asks for: a stream on disk that takes a subject. */
export interface DurableSubject {
  readonly subject: string;
  readonly name: string;
}

/** Reads `SUBJECT[=NAME]`: without a name, the subject's tokens that are no wildcards make one. Null for what is neither. */
export function readDurable(text: string): DurableSubject | null {
  const at = text.lastIndexOf('=');
  const subject = at < 0 ? text : text.slice(0, at);
  const name = at < 0 ? nameFor(subject) : text.slice(at + 1);
  return isSubject(subject) && /^[^\s.*>\\/]{1,255}$/.test(name) ? { subject, name } : null;
}

function nameFor(subject: string): string {
  const tokens = subject.split('.').filter((token) => token !== '*' && token !== '>');
  return tokens.join('_').replace(/[\\/]/g, '_');
}
