import { expect, test } from 'vitest';
import { deliversAtOnce } from '../../src/stream/extensions.js';
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
    'metadata shardcast.delivery is not known, there are: shardcast.deliver',
  );
  expect(withMetadata({ 'my.deliver': 'soon' }).metadata.get('my.deliver')).toBe('soon');
});
