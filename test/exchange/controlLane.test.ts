import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { demand } from '../../src/base/demand.js';
import { fullness } from '../../src/base/fullness.js';
import { accountsMax } from '../../src/base/limits.js';
import { ControlReader, ControlWriter } from '../../src/exchange/controlLane.js';
import { Backlog } from '../../src/exchange/laneWriter.js';
import type { ExchangeTopic, RouterRole, ShardRole } from '../../src/exchange/roles.js';
import { Bell, createBellMemory } from '../../src/ring/bell.js';
import { createRingMemory } from '../../src/ring/layout.js';

const subject = fc.string({ unit: fc.constantFrom('a', '.', '*', '\xff'), minLength: 1, maxLength: 3000 });
const account = fc.constantFrom(mainAccount, 1, accountsMax - 1);
const wanted = fc.constantFrom(...Object.values(demand));
const announcement = fc.oneof(
  fc.record({ kind: fc.constant('plain' as const), subject, wanted, crowd: fc.nat(2 ** 30), account }),
  fc.record({
    kind: fc.constant('queue' as const),
    subject,
    queue: subject,
    members: fc.nat(1000),
    room: fc.nat(2 ** 31 - 1),
    account,
  }),
  fc.record({ kind: fc.constant('full' as const), subject, wanted: fc.boolean() }),
  fc.record({ kind: fc.constant('spent' as const), subject, wanted: fc.boolean() }),
  fc.record({ kind: fc.constant('image' as const), subject, token: fc.nat(0x7fffffff), wanted: fc.boolean() }),
  fc.record({
    kind: fc.constant('more' as const),
    token: fc.nat(0x7fffffff),
    messages: fc.nat(1000),
    bytes: fc.nat(1e9),
  }),
);

test('invariant 5: a control lane refuses nothing, and tells all in the order it was told', () => {
  fc.assert(
    fc.property(fc.constantFrom(128, 1024, 4096), fc.array(announcement, { maxLength: 40 }), (capacityBytes, told) => {
      const memory = createRingMemory(capacityBytes);
      const bells = createBellMemory(2);
      const backlog = new Backlog();
      const writer = new ControlWriter(memory, new Bell(bells, 1), backlog);
      const heard: unknown[] = [];
      const router: Omit<RouterRole<ExchangeTopic>, 'topicOf'> = {
        freshen: () => true,
        onPlainInterest: (gateway, name, ...told) => heard.push([gateway, 'plain', name, ...told]),
        onQueueInterest: (gateway, name, ...told) => heard.push([gateway, 'queue', name, ...told]),
        onLagging: () => {},
        onHoldSpent: () => {},
        onGroupSpent: (shard, queue, spent) => heard.push([shard, 'spent', queue, spent]),
        onService: () => {},
        onInbox: () => {},
        onTopicFull: (gateway, name, full) => heard.push([gateway, 'full', name, full === fullness.blocked]),
      };
      const shard: Pick<ShardRole<ExchangeTopic>, 'onImageRequest' | 'onImageCancel' | 'onImageMore'> = {
        onImageRequest: (gateway, token, name) => heard.push([gateway, 'image', token, name]),
        onImageCancel: (gateway, token) => heard.push([gateway, 'image', token]),
        onImageMore: (gateway, ...told) => heard.push([gateway, 'more', ...told]),
      };
      const bell = new Bell(bells, 0);
      const names = router as RouterRole<ExchangeTopic>;
      const reader = new ControlReader(memory, bell, 3, names, shard as ShardRole<ExchangeTopic>);
      for (const record of told) {
        if (record.kind === 'plain') writer.plainInterest(record.subject, record.wanted, record.crowd, record.account);
        else if (record.kind === 'queue')
          writer.queueInterest(record.subject, record.queue, record.members, record.room, record.account);
        else if (record.kind === 'image' && record.wanted) writer.imageRequest(record.token, record.subject);
        else if (record.kind === 'image') writer.imageCancel(record.token);
        else if (record.kind === 'more') writer.imageMore(record.token, record.messages, record.bytes);
        else if (record.kind === 'spent') writer.groupSpent(record.subject, record.wanted);
        else writer.topicFull(record.subject, record.wanted ? fullness.blocked : fullness.ready);
      }
      for (let turn = 0; turn < 10_000 && (turn === 0 || backlog.lanes > 0); turn++) {
        writer.lane.pump();
        writer.lane.publish();
        reader.drain();
      }
      expect(heard).toEqual(
        told.map((record) => {
          if (record.kind === 'queue')
            return [3, 'queue', record.subject, record.queue, record.members, record.room, record.account];
          if (record.kind === 'plain') return [3, 'plain', record.subject, record.wanted, record.crowd, record.account];
          if (record.kind === 'more') return [3, 'more', record.token, record.messages, record.bytes];
          if (record.kind !== 'image') return [3, record.kind, record.subject, record.wanted];
          return record.wanted ? [3, 'image', record.token, record.subject] : [3, 'image', record.token];
        }),
      );
    }),
  );
});
