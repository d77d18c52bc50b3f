import { type Codec, noAction } from './codec.js';

const connectOptions = JSON.stringify({
  verbose: false,
  pedantic: false,
  tls_required: false,
  echo: true,
  headers: true,
  no_responders: true,
  protocol: 1,
  name: 'shardcast-bench',
  lang: 'node',
  version: '1',
});

/** The first of `count` numbers that all have the same number of digits, so that deliveries have one length. */
function firstSid(count: number): number {
  let first = 1;
  while (count > 9 * first) first *= 10;
  return first;
}

/** The NATS client protocol, without headers. */
export const natsCodec: Codec = {
  name: 'nats',
  wildcard: 'bench.*',

  subject(topic) {
    return `bench.${String(topic).padStart(5, '0')}`;
  },

  handshake(subjects) {
    const sid = firstSid(subjects.length);
    const subscriptions = subjects.map((subject, index) => `SUB ${subject} ${sid + index}\r\n`);
    return Buffer.from(`CONNECT ${connectOptions}\r\n${subscriptions.join('')}PING\r\n`, 'latin1');
  },

  handshakeState(received) {
    const text = received.toString('latin1');
    const error = /-ERR [^\r]*/.exec(text);
    if (error) return { error: error[0] };
    // an INFO may stand behind the PONG; what has begun is waited for
    return /(^|\n)PONG\r\n/.test(text) && text.endsWith('\r\n') ? 'ready' : 'more';
  },

  publish(subject, payload) {
    const head = Buffer.from(`PUB ${subject} ${payload.length}\r\n`, 'latin1');
    return { bytes: Buffer.concat([head, payload, Buffer.from('\r\n')]), payloadOffset: head.length };
  },

  delivery(subjects, subjectBytes, payloadBytes) {
    const sidBytes = String(firstSid(subjects.length)).length;
    const payloadOffset = 'MSG '.length + subjectBytes + 1 + sidBytes + 1 + String(payloadBytes).length + 2;
    return { messageBytes: payloadOffset + payloadBytes + 2, payloadOffset, firstByte: 'M'.charCodeAt(0) };
  },

  control(line) {
    if (line === 'PING') return { kind: 'reply', bytes: Buffer.from('PONG\r\n') };
    if (line === '' || line === 'PONG' || line.startsWith('INFO ')) return noAction;
    return { kind: 'error', text: line };
  },
};
