import { expect, test } from 'vitest';
import { Work } from '../../src/base/work.js';
import type { BrokerAnswers } from '../../src/gateway/brokerAnswers.js';
import type { Verdicts } from '../../src/gateway/commands/verdicts.js';
import type { Greeter } from '../../src/gateway/greeter.js';
import { UserInfo } from '../../src/gateway/userInfo.js';
import type { ServerInfo } from '../../src/protocol/info.js';
import { idleConnection } from './connections.js';
import { runOf } from './messages.js';

// Invariant 25 of docs/INVARIANTS.md: a run of requests is answered as far as its connection's share lasts, and by one at least.

test('a run of requests is answered as far as the share lasts', () => {
  const work = new Work();
  const said: string[] = [];
  let accepted = 0;
  const greeter = { info: { server_id: 'x' } as ServerInfo } as Greeter;
  const answers = { answer: (_: unknown, reply: string, text: string) => said.push(`${reply} ${text}`) > 0 };
  const verdicts = {
    accept: (_: unknown, count: number) => {
      accepted += count;
    },
  };
  const userInfo = new UserInfo(greeter, answers as unknown as BrokerAnswers, verdicts as unknown as Verdicts, work);
  const run = runOf(Array.from({ length: 50 }, () => '_INBOX.a'));
  run.withReplies = true;
  for (const [i, start] of run.starts.subarray(0, run.count).entries()) {
    run.replyStarts[i] = start;
    run.replyEnds[i] = run.ends[i]!;
  }
  const connection = idleConnection(1);
  const takenWithin = (units: number): number => {
    work.nextTurn();
    work.limit = units;
    return userInfo.tell(connection, run);
  };
  expect(takenWithin(0)).toBe(1);
  const some = takenWithin(1_000);
  expect(some).toBeGreaterThan(1);
  expect(some).toBeLessThan(run.count);
  expect(takenWithin(1_000_000)).toBe(run.count);
  expect(said).toHaveLength(1 + some + run.count);
  expect(accepted).toBe(said.length);
  expect(said[0]).toMatch(/^_INBOX\.a \{"server":/);
});
