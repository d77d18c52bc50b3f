import { expect, test } from 'vitest';
import { latin1String } from '../../src/base/bytes.js';
import type { Place } from '../../src/base/span.js';
import { Advisories } from '../../src/shard/streams/advisories.js';
import { WallClock } from '../../src/stream/times.js';

const read = ({ span, start, end }: Place): string => latin1String(span.bytes, start, end);

test('an advisory is made only where somebody listens to it', () => {
  const heard = new Set(['$JS.EVENT.ADVISORY.STREAM.CREATED.S']);
  const said: string[] = [];
  let made = 0;
  const answers = { addNotice: (to: Place) => void said.push(read(to)) };
  const advisories = new Advisories(answers, { isHeard: (to) => heard.has(read(to)) }, new WallClock(), '');
  const fields = (): object => ({ made: ++made });
  for (let i = 0; i < 3; i++) advisories.say('ADVISORY.API', 'advisory.v1.api_audit', () => fields() as never);
  expect([made, said]).toEqual([0, []]);
  advisories.sayAction('S', 'create');
  advisories.sayAction('T', 'create');
  expect(said).toEqual([...heard]);
});
