import { describe, expect, test } from 'vitest';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';
import { catchUp, feed, noticedLoss, numberOf, setScene } from './slowSubscriber.js';

// Invariants 13 and 18 of docs/INVARIANTS.md.

/** More than the kernel's buffers hold. */
const published = 1_500;

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards, args: ['--write-deadline', '60s'] });

  test('drop-new keeps the oldest, says how many it lost, and the others get everything', async () => {
    const wish = { policy: 'drop-new', maxMessages: 100, notice: true };
    const scene = await setScene(server.port, 'drop.new', wish);
    await feed(scene, 'drop.new', 0, published);
    const messages = await catchUp(scene, 'drop.new');
    const losses = messages.map(noticedLoss);
    const numbers = messages.filter((_, i) => losses[i] === undefined).map(numberOf);
    const kept = numbers.filter((number) => !Number.isNaN(number));
    expect(kept).toEqual(kept.map((_, i) => i));
    expect(kept.length).toBeGreaterThan(100);
    const lost = losses.reduce((sum: number, loss) => sum + (loss ?? 0), 0);
    expect(lost).toBeGreaterThanOrEqual(published - kept.length);
    // the loss is said where it was, behind what was kept
    expect(losses.findIndex((loss) => loss !== undefined)).toBe(kept.length);
  });

  test('drop-old keeps the newest, says how many it lost, and the others get everything', async () => {
    const wish = { policy: 'drop-old', maxMessages: 100, notice: true };
    const scene = await setScene(server.port, 'drop.old', wish);
    await feed(scene, 'drop.old', 0, published);
    const messages = await catchUp(scene, 'drop.old');
    const losses = messages.map(noticedLoss);
    const numbers = messages.filter((_, i) => losses[i] === undefined).map(numberOf);
    const ends = numbers.filter(Number.isNaN).length;
    const kept = numbers.filter((number) => !Number.isNaN(number));
    const lost = losses.reduce((sum: number, loss) => sum + (loss ?? 0), 0);
    expect(lost + kept.length).toBe(published);
    expect(lost).toBeGreaterThan(0);
    expect(ends).toBeGreaterThan(0);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    expect(kept.at(-1)).toBe(published - 1);
  });

  test('disconnect ends the connection at its own bound, and the others get everything', async () => {
    const scene = await setScene(server.port, 'end', { policy: 'disconnect', maxMessages: 10, maxDrops: 5 });
    const logged = server.broker.logged(/slow consumer/i);
    await feed(scene, 'end', 0, published);
    await logged;
    scene.slow.socket.resume();
    const lines = await scene.slow.expectClosed();
    expect(lines.at(-1)).toBe("-ERR 'Slow Consumer'");
    expect(lines.length).toBeLessThan(published);
  });

  test('what is asked holds for subscriptions that are there already, and can be taken back', async () => {
    const wish = { policy: 'drop-old', maxMessages: 50, notice: true };
    const scene = await setScene(server.port, 'later', { policy: 'drop-new', maxMessages: 1 });
    scene.slow.socket.resume();
    scene.slow.send(
      `PUB $SHARDCAST.SUB ${JSON.stringify({ sid: '1', ...wish }).length}\r\n${JSON.stringify({ sid: '1', ...wish })}\r\n`,
    );
    await scene.slow.exchange();
    scene.slow.socket.pause();
    await feed(scene, 'later', 0, published);
    const messages = await catchUp(scene, 'later');
    const losses = messages.map(noticedLoss).filter((loss) => loss !== undefined);
    expect(losses.length).toBeGreaterThan(0);
    expect(messages.filter((message) => noticedLoss(message) === undefined).map(numberOf)).toContain(published - 1);
    expect(await scene.slow.exchange('PUB $SHARDCAST.SUB 11\r\n{"sid":"1"}\r\n')).toEqual([]);
  });
});
