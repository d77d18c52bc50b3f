import { msPerUnit } from '../base/durationUnits.js';
/** What an acknowledgement says of a message: it is done, it is to be delivered again, somebody is at work on it, it is given up, or nothing. */
export type Verdict = 'ack' | 'nak' | 'progress' | 'term' | 'nothing';

/** What an acknowledgement says. */
export interface Ack {
  readonly verdict: Verdict;
  /** After how long a message is to be delivered again, in milliseconds; null for at once. */
  readonly delayMs: number | null;
  /** Why it is given up. */
  readonly reason: string;
  /** What it asks for beside: a request for messages; null for none. */
  readonly pull: string | null;
}

const nanosecondsInMs = 1e6;

const nothing: Ack = { verdict: 'nothing', delayMs: null, reason: '', pull: null };
const acknowledged: Ack = { ...nothing, verdict: 'ack' };
const atWork: Ack = { ...nothing, verdict: 'progress' };

/** Reads what an acknowledgement says. */
export function readAck(body: string): Ack {
  if (body === '' || body === '+ACK' || body === '+OK') return acknowledged;
  if (body === '+WPI') return atWork;
  if (body.startsWith('+NXT')) return { ...acknowledged, pull: body.slice('+NXT'.length).trim() };
  if (body.startsWith('-NAK'))
    return { ...nothing, verdict: 'nak', delayMs: delayOf(body.slice('-NAK'.length).trim()) };
  if (body.startsWith('+TERM')) return { ...nothing, verdict: 'term', reason: body.slice('+TERM'.length).trim() };
  return nothing;
}

/** Null for what is no duration: then it is at once. */
function delayOf(text: string): number | null {
  if (text === '') return null;
  if (text.startsWith('{')) return delayInJson(text);
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return null;
  let delayMs = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    delayMs += Number(number) * (msPerUnit[unit as string] as number);
  return delayMs;
}

function delayInJson(text: string): number | null {
  try {
    const { delay = 0 } = JSON.parse(text) as { delay?: unknown };
    return typeof delay === 'number' ? delay / nanosecondsInMs : null;
  } catch {
    return null;
  }
}
