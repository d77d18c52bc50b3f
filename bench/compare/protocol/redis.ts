import { type Codec, noAction } from './codec.js';

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map(bulk).join('')}`;
}

/** Bytes of a bulk string's frame around its content: `$<length>\r\n` and `\r\n`. */
function frameBytes(contentBytes: number): number {
  return 1 + String(contentBytes).length + 2 + 2;
}

const wildcard = 'bench.*';
/** How the server answers PING to a connection with subscriptions, and to one without. */
const pongs = ['*2\r\n$4\r\npong\r\n$0\r\n\r\n', '+PONG\r\n'];

/** Redis publish and subscribe over RESP2. */
export const redisCodec: Codec = {
  name: 'redis',
  wildcard,

  subject(topic) {
    return `bench.${String(topic).padStart(5, '0')}`;
  },

  handshake(subjects) {
    const verb = subjects[0] === wildcard ? 'PSUBSCRIBE' : 'SUBSCRIBE';
    return Buffer.from((subjects.length > 0 ? command(verb, ...subjects) : '') + command('PING'), 'latin1');
  },

  handshakeState(received) {
    const text = received.toString('latin1');
    if (text.startsWith('-')) return { error: text.trim() };
    return pongs.some((pong) => text.endsWith(pong)) ? 'ready' : 'more';
  },

  publish(subject, payload) {
    const head = Buffer.from(`*3\r\n${bulk('PUBLISH')}${bulk(subject)}$${payload.length}\r\n`, 'latin1');
    return { bytes: Buffer.concat([head, payload, Buffer.from('\r\n')]), payloadOffset: head.length };
  },

  delivery(subjects, subjectBytes, payloadBytes) {
    const kind = subjects[0] === wildcard ? `*4\r\n${bulk('pmessage')}${bulk(wildcard)}` : `*3\r\n${bulk('message')}`;
    const headBytes = kind.length + frameBytes(subjectBytes) + subjectBytes;
    const messageBytes = headBytes + frameBytes(payloadBytes) + payloadBytes;
    return { messageBytes, payloadOffset: messageBytes - 2 - payloadBytes, firstByte: '*'.charCodeAt(0) };
  },

  control(line) {
    return line.startsWith('-') ? { kind: 'error', text: line } : noAction;
  },
};
