import { traceTextBytesMax } from '../../base/limits.js';

/** What became of a traced message at one place, in nats-server's names and order. */
export type TraceEvent =
  | {
      readonly type: 'in';
      readonly ts: string;
      readonly kind: 0;
      readonly cid: number;
      readonly name?: string;
      readonly acc: string;
      readonly subj: string;
      readonly error?: string;
    }
  | { readonly type: 'sm'; readonly ts: string; readonly to: string }
  | { readonly type: 'si'; readonly ts: string; readonly acc: string; readonly from: string; readonly to: string }
  | {
      readonly type: 'eg';
      readonly ts: string;
      readonly kind: 0;
      readonly cid: number;
      readonly name?: string;
      readonly sub: string;
      readonly queue?: string;
      readonly error?: string;
      /** So many deliveries, that are not told one by one. Not shown. */
      readonly more?: number;
    }
  | {
      readonly type: 'js';
      readonly ts: string;
      readonly stream: string;
      readonly subject?: string;
      readonly nointerest?: true;
      readonly error?: string;
      /** Where it is stored. Not shown. */
      readonly sequence?: number;
    };

/** Deliveries that are told only by how many there are. @param more those among them that were made */
export function notListed(ts: string, unlisted: number, more: number): TraceEvent {
  return { type: 'eg', ts, kind: 0, cid: 0, sub: '', error: `${unlisted} more are not listed`, more };
}

/** What it is like in nats-server: what comes in, what its subject becomes, whom it goes to, members of groups last, and then streams. */
const ranks: Readonly<Record<TraceEvent['type'], number>> = { in: 0, sm: 1, si: 2, eg: 3, js: 5 };
const queueRank = 4;

export function inOrder(events: readonly TraceEvent[]): TraceEvent[] {
  const rankOf = (event: TraceEvent) =>
    event.type === 'eg' && event.queue !== undefined ? queueRank : ranks[event.type];
  return [...events].sort((one, other) => rankOf(one) - rankOf(other));
}

/** An event as nats-server has it. */
export function shownEvent(event: TraceEvent): TraceEvent {
  const { more, sequence, ...shown } = event as TraceEvent & { more?: number; sequence?: number };
  return shown as TraceEvent;
}

/** Events as JSON in ASCII, in texts that go between threads one by one. */
export function eventTexts(events: readonly TraceEvent[]): string[] {
  const texts: string[] = [];
  let text = '';
  for (const event of events) {
    const one = JSON.stringify(event).replace(/[\u007f-\uffff]/g, escaped);
    if (text.length + one.length > traceTextBytesMax && text !== '') {
      texts.push(`[${text}]`);
      text = '';
    }
    text = text === '' ? one : `${text},${one}`;
  }
  if (text !== '') texts.push(`[${text}]`);
  return texts;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
