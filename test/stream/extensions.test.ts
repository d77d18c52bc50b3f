import { expect, test } from 'vitest';
import { deliversAtOnce, syncMsOf } from '../../src/stream/extensions.js';
import { configOf } from './streams.js';

const withMetadata = (metadata: Readonly<Record<string, string>>) => configOf({ metadata });

test('a stream that says nothing delivers what is committed', () => {
  expect(deliversAtOnce(withMetadata({}))).toBe(false);
  expect(deliversAtOnce(withMetadata({ 'shardcast.deliver': 'committed' }))).toBe(false);
  expect(deliversAtOnce(withMetadata({ 'shardcast.deliver': 'immediate' }))).toBe(true);
});

test('what is not known is refused, not ignored; the metadata of others is theirs', () => {
  expect(() => withMetadata({ 'shardcast.deliver': 'soon' })).toThrow(
    'metadata shardcast.deliver must be one of: committed, immediate',
  );
  expect(() => withMetadata({ 'shardcast.delivery': 'immediate' })).toThrow(
    'metadata shardcast.delivery is not known, there are: shardcast.deliver, shardcast.sync',
  );
  expect(withMetadata({ 'my.deliver': 'soon' }).metadata.get('my.deliver')).toBe('soon');
});

test('how a stream is brought to disk is read to the letter', () => {
  const sync = (text: string, rest = {}) =>
    syncMsOf(configOf({ storage: 'file', metadata: { 'shardcast.sync': text }, ...rest }));
  expect(syncMsOf(withMetadata({}))).toBe(0);
  expect(['always', 'interval:1', 'interval:3600000', 'never'].map((text) => sync(text))).toEqual([
    0,
    1,
    3_600_000,
    Number.POSITIVE_INFINITY,
  ]);
  for (const text of [
    '',
    'Always',
    'interval',
    'interval:',
    'interval:0',
    'interval:1.5',
    'interval:3600001',
    'interval:01',
  ])
    expect(() => sync(text)).toThrow(
      'metadata shardcast.sync must be one of: always, interval:<milliseconds up to 3600000>, never',
    );
  expect(() => sync('never', { storage: 'memory' })).toThrow(
    'metadata shardcast.sync is for streams with storage file',
  );
});
