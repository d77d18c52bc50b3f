import type { Codec } from './codec.js';

/** MQTT's variable-length "remaining length". */
function remainingLength(bytes: number): Buffer {
  const digits: number[] = [];
  let rest = bytes;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    digits.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return Buffer.from(digits);
}

function packet(firstByte: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([firstByte]), remainingLength(body.length), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

const PUBLISH = 0x30;
const PINGREQ = Buffer.from([0xc0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);
/** A SUBSCRIBE packet names at most this many topics, so that none is large. */
const subjectsPerSubscribe = 1_000;

/** Version 4 (3.1.1), clean session, keep-alive 0: the server never expects a ping, and sends nothing unasked. */
function connect(): Buffer {
  return packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, 0x02, 0, 0]), text('')]));
}

/** MQTT 3.1.1 at QoS 0. */
export const mqttCodec: Codec = {
  name: 'mqtt',
  wildcard: 'bench/+',

  subject(topic) {
    return `bench/${String(topic).padStart(5, '0')}`;
  },

  handshake(subjects) {
    const packets = [connect()];
    for (let from = 0; from < subjects.length; from += subjectsPerSubscribe) {
      const filters = subjects
        .slice(from, from + subjectsPerSubscribe)
        .map((filter) => [text(filter), Buffer.from([0])]);
      packets.push(packet(0x82, Buffer.concat([Buffer.from([0, 1]), ...filters.flat()])));
    }
    return Buffer.concat([...packets, PINGREQ]);
  },

  handshakeState(received) {
    if (received.length >= 4 && received[3] !== 0) return { error: `CONNACK code ${received[3]}` };
    return received.subarray(-2).equals(PINGRESP) ? 'ready' : 'more';
  },

  publish(subject, payload) {
    const topic = text(subject);
    const head = Buffer.concat([Buffer.from([PUBLISH]), remainingLength(topic.length + payload.length), topic]);
    return { bytes: Buffer.concat([head, payload]), payloadOffset: head.length };
  },

  delivery(_subjects, subjectBytes, payloadBytes) {
    const remaining = 2 + subjectBytes + payloadBytes;
    const messageBytes = 1 + remainingLength(remaining).length + remaining;
    return { messageBytes, payloadOffset: messageBytes - payloadBytes, firstByte: PUBLISH };
  },

  control(line) {
    return { kind: 'error', text: `unexpected packet ${Buffer.from(line, 'latin1').toString('hex').slice(0, 32)}` };
  },
};
