/** What is published, and who takes what of it. All the same in every run. */
export interface Load {
  readonly name: string;
  readonly publishers: number;
  /** What each subscriber says once connected. */
  readonly subscribers: readonly Interest[];
}

/** Subjects that a connection subscribes to, by their sids. */
interface Interest {
  readonly subscribe: string;
  /** The sid by which it takes a topic, or null. */
  sidOf(topic: number): string | null;
}

const topics = 1000;
const payloadBytesMin = 24;
const payloadBytesMax = 200;
const blockMessages = 256;
const blocksPerPublisher = 32;

/** Messages that are written at once, and what they are to each subscriber, in bytes. */
export interface Block {
  readonly bytes: Buffer;
  readonly messages: number;
  readonly deliveredBytes: readonly number[];
}

export const loads: readonly Load[] = [
  { name: '4 x >', publishers: 4, subscribers: Array.from({ length: 4 }, () => everything()) },
  { name: '12 x 30%', publishers: 4, subscribers: Array.from({ length: 12 }, (_, i) => someOf(0.3, 1000 + i)) },
];

/** What the publishers of a load send, in turn, over and over. */
export function blocksOf({ publishers, subscribers }: Load): Block[][] {
  const pick = zipf(topics, random(7));
  const size = random(8);
  return Array.from({ length: publishers }, () =>
    Array.from({ length: blocksPerPublisher }, () => makeBlock(subscribers, pick, size)),
  );
}

function makeBlock(subscribers: readonly Interest[], pick: () => number, size: () => number): Block {
  const deliveredBytes = subscribers.map(() => 0);
  const lines: string[] = [];
  for (let i = 0; i < blockMessages; i++) {
    const topic = pick();
    const payload = 'x'.repeat(payloadBytesMin + Math.floor(size() * (payloadBytesMax - payloadBytesMin + 1)));
    const content = `${payload.length}\r\n${payload}\r\n`;
    lines.push(`PUB ${subjectOf(topic)} ${content}`);
    for (const [at, { sidOf }] of subscribers.entries()) {
      const sid = sidOf(topic);
      if (sid !== null) deliveredBytes[at]! += `MSG ${subjectOf(topic)} ${sid} ${content}`.length;
    }
  }
  return { bytes: Buffer.from(lines.join('')), messages: blockMessages, deliveredBytes };
}

function subjectOf(topic: number): string {
  return `md.equities.SYM${String(topic).padStart(4, '0')}`;
}

function everything(): Interest {
  return { subscribe: 'SUB > 1\r\n', sidOf: () => '1' };
}

function someOf(part: number, seed: number): Interest {
  const next = random(seed);
  const sids = new Map<number, string>();
  for (let topic = 0; topic < topics; topic++) if (next() < part) sids.set(topic, String(sids.size + 1));
  const subscribe = [...sids].map(([topic, sid]) => `SUB ${subjectOf(topic)} ${sid}\r\n`).join('');
  return { subscribe, sidOf: (topic) => sids.get(topic) ?? null };
}

/** Numbers below `count`, of which the n-th comes as often as 1 / n. */
function zipf(count: number, next: () => number): () => number {
  const sums: number[] = [];
  for (let i = 0; i < count; i++) sums.push((sums[i - 1] ?? 0) + 1 / (i + 1));
  return () => {
    const wanted = next() * sums[count - 1]!;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Numbers from 0 up to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
