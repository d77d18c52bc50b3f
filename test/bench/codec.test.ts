import { describe, expect, it } from 'vitest';
import { codecs } from '../../bench/compare/protocol/codecs.js';
import { PublishRing } from '../../bench/compare/publishRing.js';

describe.each(Object.values(codecs))('$name', (codec) => {
  it('spells every subject with the same length', () => {
    expect(codec.subject(0).length).toBe(codec.subject(19_999).length);
    expect(codec.subject(1)).not.toBe(codec.subject(2));
  });

  it.each([0, 16, 100, 1_024, 65_536])('places a payload of %i bytes where it says', (payloadBytes) => {
    const { bytes, payloadOffset } = codec.publish(codec.subject(1), Buffer.alloc(payloadBytes, 'x'));
    expect(bytes.subarray(payloadOffset, payloadOffset + payloadBytes).every((byte) => byte === 120)).toBe(true);
    expect(bytes.length - payloadOffset - payloadBytes).toBe(codec.name === 'mqtt' ? 0 : 2);
  });

  it('fills a ring with whole cycles, and cuts it into blocks of whole messages', () => {
    const ring = new PublishRing({ codec, cycle: [3, 1, 2], payloadBytes: 16, bytesMin: 10_000 });
    expect(ring.messages % 3).toBe(0);
    expect(ring.bytes.length).toBe(ring.messages * ring.messageBytes);
    const blocks = ring.blocks(1_000);
    expect(Buffer.concat(blocks).equals(ring.bytes)).toBe(true);
    for (const block of blocks) expect(block.length % ring.messageBytes).toBe(0);
  });
});

describe('deliveries as the servers write them', () => {
  const payload = 'x'.repeat(16);
  const layoutOf = (name: keyof typeof codecs, subjects: string[]) =>
    codecs[name].delivery(subjects, codecs[name].subject(0).length, payload.length);

  it('nats: sids of one length, however many subscriptions', () => {
    const subjects = Array.from({ length: 1_000 }, (_, topic) => codecs.nats.subject(topic));
    const sids = codecs.nats
      .handshake(subjects)
      .toString()
      .split('\r\n')
      .filter((line) => line.startsWith('SUB'))
      .map((line) => line.split(' ')[2]!);
    expect(new Set(sids).size).toBe(1_000);
    const expected = `MSG bench.00000 ${sids[999]} 16\r\n${payload}\r\n`;
    for (const sid of sids) expect(sid.length).toBe(sids[0]!.length);
    expect(layoutOf('nats', subjects).messageBytes).toBe(expected.length);
    expect(layoutOf('nats', subjects).payloadOffset).toBe(expected.indexOf('x'));
  });

  it('redis: by name and by pattern', () => {
    const byName = `*3\r\n$7\r\nmessage\r\n$11\r\nbench.00000\r\n$16\r\n${payload}\r\n`;
    const byPattern = `*4\r\n$8\r\npmessage\r\n$7\r\nbench.*\r\n$11\r\nbench.00000\r\n$16\r\n${payload}\r\n`;
    expect(layoutOf('redis', ['bench.00000']).messageBytes).toBe(byName.length);
    expect(layoutOf('redis', ['bench.*']).messageBytes).toBe(byPattern.length);
    expect(layoutOf('redis', ['bench.*']).payloadOffset).toBe(byPattern.indexOf('x'));
  });

  it('mqtt: a delivery is the publish itself', () => {
    const { bytes, payloadOffset } = codecs.mqtt.publish('bench/00000', Buffer.from(payload));
    expect(layoutOf('mqtt', ['bench/00000'])).toMatchObject({ messageBytes: bytes.length, payloadOffset });
  });
});
