import { describe, expect, it } from 'vitest';
import type { Connection } from '../../bench/compare/connection.js';
import { ControlLines } from '../../bench/compare/controlLines.js';
import { DeliveryReader } from '../../bench/compare/deliveryReader.js';
import { LatencyRecorder, mergeLatencies } from '../../bench/compare/latencyRecorder.js';
import { natsCodec } from '../../bench/compare/protocol/nats.js';

const subject = natsCodec.subject(7);
const layout = natsCodec.delivery([subject], subject.length, 16);

function delivery(payload: Buffer = Buffer.alloc(16, 'x')): Buffer {
  return Buffer.concat([Buffer.from(`MSG ${subject} 1 16\r\n`), payload, Buffer.from('\r\n')]);
}

function readerOf(latencies: LatencyRecorder | null = null) {
  const replies: string[] = [];
  const errors: string[] = [];
  const connection = { socket: { write: (bytes: Buffer) => replies.push(bytes.toString()) } } as unknown as Connection;
  const control = new ControlLines(connection, natsCodec, (text) => errors.push(text));
  return { reader: new DeliveryReader(layout, control, latencies), replies, errors };
}

function readInPieces(reader: DeliveryReader, stream: Buffer, pieceBytes: number): number {
  let completed = 0;
  for (let from = 0; from < stream.length; from += pieceBytes) {
    const piece = stream.subarray(from, from + pieceBytes);
    completed += reader.read(piece, piece.length);
  }
  return completed;
}

describe('counting deliveries', () => {
  const ping = Buffer.from('PING\r\n');
  const error = Buffer.from("-ERR 'Slow Consumer'\r\n");
  const ten = Array.from({ length: 10 }, () => delivery());
  const stream = Buffer.concat([...ten, ping, ...ten, ping, ping, ...ten, error]);

  it('is exact for every size of piece, with control lines anywhere between', () => {
    for (let pieceBytes = 1; pieceBytes <= stream.length; pieceBytes++) {
      const { reader, replies, errors } = readerOf();
      expect(readInPieces(reader, stream, pieceBytes)).toBe(30);
      expect(replies).toEqual(['PONG\r\n', 'PONG\r\n', 'PONG\r\n']);
      expect(errors).toEqual(["-ERR 'Slow Consumer'"]);
    }
  });

  it('records the same latencies for every size of piece, whatever the stamps look like', () => {
    const stamped = Array.from({ length: 50 }, (_, index) => {
      const payload = Buffer.alloc(16, 'M');
      payload.writeDoubleLE(1_000 + index, 0);
      return delivery(payload);
    });
    const bytes = Buffer.concat([...stamped, ping, ...stamped]);
    for (let pieceBytes = 1; pieceBytes <= 200; pieceBytes++) {
      const recorder = new LatencyRecorder(layout.messageBytes, layout.payloadOffset, 3);
      recorder.setWindow(1_000, 1_050);
      expect(readInPieces(readerOf(recorder).reader, bytes, pieceBytes)).toBe(100);
      expect(mergeLatencies([recorder.encoded()]).samples).toBe(34);
    }
  });
});
