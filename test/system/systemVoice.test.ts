import { expect, test } from 'vitest';
import { systemAccount } from '../../src/base/account.js';
import { fullness } from '../../src/base/fullness.js';
import { systemEventsMax } from '../../src/base/limits.js';
import { Span } from '../../src/base/span.js';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import { Waiter } from '../../src/router/holds.js';
import { SystemVoice } from '../../src/shard/system/systemVoice.js';
import { Voice } from '../../src/shard/voice.js';
import { SimThread } from '../sim/simThread.js';

// Invariant 56 of docs/INVARIANTS.md.

const subject = '$SYS.ACCOUNT.$G.CONNECT';

function aThread() {
  const said: string[] = [];
  const options = { threads: 1, clients: 0, order: 'topic', seed: 1 } as const;
  const memory = createExchangeMemory(1, 4096);
  const thread = new SimThread(memory, 0, options, (_gateway, on, _queue, _, payload) =>
    said.push(`${on} ${Buffer.from(payload)}`),
  );
  const voice = new SystemVoice(thread.router, new Voice(thread.router, thread.exchange, thread.shard), () => {});
  const listen = (account: number) =>
    thread.subscribe({ subject: '$SYS.>', account, queue: '', lossy: false, index: 0, retired: false, heldBytes: 0 });
  const sayAll = () => {
    for (let more = true; more; ) {
      more = voice.doWork();
      thread.router.work.turn++;
    }
  };
  return { voice, said, listen, sayAll, router: thread.router };
}

test('while nobody of the system account listens nothing is made', () => {
  const { voice, said, listen, sayAll } = aThread();
  listen(0);
  let made = 0;
  voice.tell(subject, () => ({ made: ++made }));
  sayAll();
  expect([made, said]).toEqual([0, []]);
  listen(systemAccount);
  voice.tell(subject, () => ({ made: ++made }));
  expect([made, voice.quiet]).toEqual([0, false]);
  sayAll();
  expect(voice.quiet).toBe(true);
  expect([made, said]).toEqual([1, [`${subject} {"made":1}`]]);
});

test('events that are too many at once are counted, and room goes to answers first', () => {
  const { voice, said, listen, sayAll } = aThread();
  listen(systemAccount);
  for (let i = 0; i < systemEventsMax + 10; i++) voice.tell(subject, () => ({ i }));
  expect(voice.lost).toBe(10);
  voice.answer(Buffer.from('$SYS.answer'), Buffer.from('now'));
  sayAll();
  expect(said.length).toBe(systemEventsMax + 1);
  expect(said[0]).toBe('$SYS.answer now');
  expect(said.slice(1)).toEqual(Array.from({ length: systemEventsMax }, (_, i) => `${subject} {"i":${i}}`));
});

test.each(['before', 'after'])(
  'a subject that others hold up, have parked or store is none of these here, made %s that',
  (when) => {
    const { voice, said, listen, sayAll, router } = aThread();
    listen(systemAccount);
    const bytes = Buffer.from(subject);
    const topic = () => router.topics.obtain(new Span(bytes), 0, bytes.length, systemAccount);
    if (when === 'before') router.freshen(topic());
    router.setOwner('$SYS.>', 0);
    router.holds.setFull(subject, 0, fullness.blocked);
    router.holds.setLagging('$SYS.>', 0, true);
    router.holds.park('$SYS.>');
    router.freshen(topic());
    const { fullness: full, ownerKeeps, captured } = topic();
    expect({ full, ownerKeeps, captured }).toEqual({ full: fullness.ready, ownerKeeps: false, captured: false });
    expect(router.holds.ask(topic(), new Waiter(), true)).toBe('goes');
    voice.tell(subject, () => ({}));
    sayAll();
    expect(said).toEqual([`${subject} {}`]);
  },
);
