import type { Message } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';

/** Messages are large, so that few of them fill the kernel's buffers. */
export const padding = 'x'.repeat(16_000);

/** A subscriber that does not read once it has asked for a policy, a publisher, and one that reads everything. */
export interface Scene {
  readonly publisher: RawClient;
  readonly reader: RawClient;
  readonly slow: RawClient;
}

/** Asks for something and expects it to be granted. */
export async function ask(client: RawClient, wish: Readonly<Record<string, unknown>>): Promise<void> {
  const replies = await request(client, wish);
  if (replies !== '{"ok":true}') throw new Error(`refused: ${replies}`);
}

/** Publishes what is asked for as a request; returns the answer. */
export async function request(client: RawClient, wish: unknown): Promise<string> {
  const json = typeof wish === 'string' ? wish : JSON.stringify(wish);
  const lines = await client.exchange(
    `SUB _INBOX.ask 999\r\nUNSUB 999 1\r\nPUB $SHARDCAST.SUB _INBOX.ask ${Buffer.byteLength(json)}\r\n${json}\r\n`,
  );
  return lines.join('\n').replace('MSG _INBOX.ask 999 | ', '');
}

/** A scene in which the slow one has subscribed to `subject` with a policy, and has stopped reading. */
export async function setScene(port: number, subject: string, wish: Readonly<Record<string, unknown>>): Promise<Scene> {
  const [publisher, reader, slow] = (await Promise.all([1, 2, 3].map(() => RawClient.connect(port)))) as [
    RawClient,
    RawClient,
    RawClient,
  ];
  await ask(slow, { subject, ...wish });
  await reader.exchange(`SUB ${subject} 1\r\n`);
  await slow.exchange(`SUB ${subject} 1\r\n`);
  slow.socket.pause();
  return { publisher, reader, slow };
}

export function publication(subject: string, body: string): string {
  return `PUB ${subject} ${body.length}\r\n${body}\r\n`;
}

/** Publishes numbered messages at the pace of the reader, and checks that the reader gets them all. */
export async function feed({ publisher, reader }: Scene, subject: string, from: number, to: number): Promise<void> {
  const numbers: number[] = [];
  for (let i = from; i < to; ) {
    let bytes = '';
    for (const end = Math.min(to, i + 8); i < end; i++) bytes += publication(subject, `${i} ${padding}`);
    await publisher.exchange(bytes);
    for (const message of await reader.messages(i - from - numbers.length)) numbers.push(numberOf(message));
  }
  const wrong = numbers.findIndex((number, i) => number !== from + i);
  if (wrong >= 0) throw new Error(`the reader got ${numbers[wrong]} in place of ${from + wrong}`);
}

export function numberOf(message: Message): number {
  return Number(message.payload.toString('latin1').split(' ')[0]);
}

/** How many messages a notice says were lost; undefined for what is no notice. */
export function noticedLoss(message: Message): number | undefined {
  const found = /^Shardcast-Dropped: (\d+)\r\nShardcast-Policy: \S+\r\n/m.exec(
    message.headers?.toString('latin1') ?? '',
  );
  return found === null ? undefined : Number(found[1]);
}

/** Lets the slow one read until it has seen a message that was published after it caught up. */
export async function catchUp({ publisher, reader, slow }: Scene, subject: string): Promise<Message[]> {
  slow.socket.resume();
  const isEnd = (message: { op: string }): boolean =>
    message.op === 'MSG' && (message as Message).payload.toString() === 'end';
  while (!slow.frames.some(isEnd)) {
    await publisher.exchange(publication(subject, 'end'));
    await reader.messages(1);
    await slow.exchangeKeeping();
  }
  const frames = slow.frames.splice(0);
  return frames.filter((frame): frame is Message => frame.op === 'MSG');
}
