import type { ConnectionReport } from './reports.js';

const numberFields = [
  'id',
  'account',
  'port',
  'startMs',
  'activeMs',
  'rttMs',
  'pendingBytes',
  'inMessages',
  'inBytes',
  'outMessages',
  'outBytes',
  'subscriptions',
] as const;
const textFields = ['kind', 'address', 'name', 'lang', 'version', 'user'] as const;
const fieldsEach = numberFields.length + textFields.length;

/** Connections that are open as they are posted to another thread, which takes a third of the time that objects take: numbers, and places of texts. */
export interface PackedConnections {
  readonly numbers: Float64Array;
  readonly texts: readonly string[];
}

export function packConnections(reports: readonly ConnectionReport[]): PackedConnections {
  const numbers = new Float64Array(reports.length * fieldsEach);
  const places = new Map<string, number>();
  let at = 0;
  for (const report of reports) {
    for (const field of numberFields) numbers[at++] = report[field];
    for (const field of textFields) numbers[at++] = placeOf(report[field], places);
  }
  return { numbers, texts: [...places.keys()] };
}

/** Most connections of a page have most of their texts in common. */
function placeOf(text: string, places: Map<string, number>): number {
  const known = places.get(text);
  if (known !== undefined) return known;
  places.set(text, places.size);
  return places.size - 1;
}

export function unpackConnections({ numbers, texts }: PackedConnections): ConnectionReport[] {
  const reports: ConnectionReport[] = [];
  let at = 0;
  const text = (): string => texts[numbers[at++] as number] as string;
  while (at < numbers.length)
    reports.push({
      id: numbers[at++] as number,
      account: numbers[at++] as number,
      port: numbers[at++] as number,
      startMs: numbers[at++] as number,
      activeMs: numbers[at++] as number,
      rttMs: numbers[at++] as number,
      pendingBytes: numbers[at++] as number,
      inMessages: numbers[at++] as number,
      inBytes: numbers[at++] as number,
      outMessages: numbers[at++] as number,
      outBytes: numbers[at++] as number,
      subscriptions: numbers[at++] as number,
      kind: text() as ConnectionReport['kind'],
      address: text(),
      name: text(),
      lang: text(),
      version: text(),
      user: text(),
      end: null,
    });
  return reports;
}
