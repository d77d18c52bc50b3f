import { syncKey } from '../../base/syncPolicy.js';
import { writeJson } from '../../stream/api/json.js';
import { effectiveConfig } from '../../stream/configRules.js';
import type { Catalogue } from './catalogue.js';
import { readConfig } from './catalogueEndpoints.js';

/** A stream on disk that is to be there, whatever else it is. */
export interface DeclaredStream {
  readonly name: string;
  readonly subjects: readonly string[];
  /** As `SyncPolicy` has it, for one that is made. */
  readonly sync: string;
}

/**
 * Makes the streams that are not there.
 *
 * @throws Error for one that is there and does not take all these subjects, or cannot be made
 */
export async function declareStreams(catalogue: Catalogue, declared: readonly DeclaredStream[]): Promise<void> {
  for (const stream of declared) {
    const { name, subjects } = stream;
    const known = catalogue.subjectsOf(name);
    if (known === null) await catalogue.create(configOf(stream));
    else checkKnown(name, known, subjects);
  }
}

function configOf({ name, subjects, sync }: DeclaredStream) {
  const metadata = sync === 'always' ? {} : { [syncKey]: sync };
  return effectiveConfig(readConfig(writeJson({ name, subjects, allow_direct: true, metadata })));
}

function checkKnown(name: string, known: readonly string[], subjects: readonly string[]): void {
  const missing = subjects.find((subject) => !known.includes(subject));
  if (missing !== undefined) throw new Error(`the stream ${name} is there and does not take ${missing}`);
}
