import { expect, test } from 'vitest';
import { Work } from '../../src/base/work.js';
import type { Connection } from '../../src/gateway/connection.js';
import type { Door } from '../../src/gateway/doors/door.js';
import { JsonReader } from '../../src/gateway/doors/jsonReader.js';
import { defaultConnectOptions } from '../../src/protocol/connectOptions.js';
import { headerMistake, readHeaderBlock } from '../../src/protocol/headerBlock.js';
import { jsonDialects } from '../../src/protocol/jsonDialect.js';
import type { Publication } from '../../src/protocol/publication.js';
import { classifySubject } from '../../src/protocol/subject.js';
import { idleConnection, strangeConnection } from '../gateway/connections.js';
import { NoCommands } from '../gateway/noCommands.js';
import { heapBytes } from '../heap.js';
import { randomFrom } from '../sim/random.js';
import { hostileLines } from './generate.js';

// Invariant 16 of docs/INVARIANTS.md.

/** More or fewer on demand: `FUZZ_INPUTS=10000000 FUZZ_SEED=7 npx vitest run test/fuzz/jsonLines.test.ts`. */
const inputs = Number(process.env.FUZZ_INPUTS ?? 200_000);
const firstSeed = Number(process.env.FUZZ_SEED ?? 1);
/** One input in so many is read once more in two pieces, and compared. */
const comparedEvery = 32;
/** What may remain on the heap an input: the smallest object; see `parser.test.ts`. */
const growthBytesPerInputMax = 16;
const limits = { maxControlLineBytes: 1024, maxPayloadBytes: 1024 } as never;
const dialects = jsonDialects(() => 0);

/** Looks whether what it is asked to carry out may be; keeps what it was asked when that is to be compared. */
class Checks extends NoCommands {
  kept: string[] | null = null;
  label = '';

  override publish(_: Connection, { message, subjectStart, subjectEnd, withHeaders }: Publication): number {
    const { bytes, starts, ends } = message;
    const headerBytes = message.headerBytes(0);
    const reply = Buffer.from(message.replyText(0), 'latin1');
    const [start, end] = [starts[0]!, ends[0]!];
    this.#must(classifySubject(bytes, subjectStart, subjectEnd) === 'literal', 'a topic');
    this.#must(reply.length === 0 || classifySubject(reply, 0, reply.length) === 'literal', 'a reply');
    this.#must(end - start <= 1024 && headerBytes <= end - start && withHeaders === headerBytes > 0, 'a length');
    this.#must(bytes[end] === 13 && bytes[end + 1] === 10, 'a line end');
    if (withHeaders) {
      const { values } = readHeaderBlock(bytes, start, start + headerBytes);
      for (const [name, all] of values)
        for (const value of all) this.#must(headerMistake(name, value) === null, 'a header');
    }
    this.kept?.push(`PUB ${Buffer.from(bytes.subarray(subjectStart, end)).toString('latin1')}`);
    return 1;
  }

  override subscribe(_: Connection, subject: string, queue: string, sid: string, prefetch: number): boolean {
    this.#must(classifySubject(Buffer.from(subject, 'latin1'), 0, subject.length) !== 'invalid', 'a topic');
    this.#must(!/[\0-\x20]/.test(queue) && (prefetch === 0 || (queue !== '' && prefetch <= 16_384)), 'a group');
    this.kept?.push(`SUB ${sid} ${prefetch}`);
    return true;
  }

  override fail(connection: Connection, error: { text: string; closes: boolean }): void {
    this.refuse(connection, error);
    if (error.closes) connection.enter('closing', 'test');
  }

  override refuse(connection: Connection, { text }: { text: string }): void {
    this.#must(text.length < 500 && !/[\n\r]/.test(text), 'a sentence');
    this.kept?.push(`${text} ${connection.requestId}`);
  }

  override note(what: string): void {
    this.kept?.push(what);
  }

  #must(right: boolean, what: string): void {
    if (!right) throw new Error(`${this.label}: ${what}`);
  }
}

function connectionTo(reader: JsonReader, authenticated: boolean): Connection {
  const door: Door = {
    name: 'jsonl',
    dialect: dialects.text,
    options: { ...defaultConnectOptions, verbose: false },
    frameOpcode: 0,
    reader,
  };
  return authenticated ? idleConnection(1, door) : strangeConnection(1, door);
}

test(`${inputs} hostile streams of lines from seed ${firstSeed}: none throws or asks for what may not be; no memory grows`, {
  timeout: 3_600_000,
}, () => {
  Error.stackTraceLimit = 0;
  const checks = new Checks();
  const reader = new JsonReader(limits, checks, dialects, new Work());
  /** Reads a stream that comes in pieces; what has not been carried out comes again, as it does from `Ingress`. */
  const read = (bytes: Buffer, cut: number, authenticated: boolean): void => {
    const connection = connectionTo(reader, authenticated);
    let position = reader.read(connection, bytes, 0, cut);
    if (reader.outcome === 'incomplete') position = reader.read(connection, bytes, position, bytes.length);
    if (position > bytes.length || (reader.outcome === 'incomplete' && bytes.indexOf(10, position) >= 0))
      throw new Error(`${checks.label}: stopped at ${position}`);
  };

  const last = firstSeed + inputs;
  const warmSeed = firstSeed + Math.floor(inputs / 4);
  let warmBytes = 0;
  for (let seed = firstSeed; seed < last; seed++) {
    const random = randomFrom(seed);
    const input = hostileLines(random);
    checks.label = `seed ${seed}`;
    const compared = seed % comparedEvery === 0;
    checks.kept = compared ? [] : null;
    const authenticated = seed % 5 !== 0;
    read(input, input.length, authenticated);
    if (compared) {
      const whole = checks.kept;
      checks.kept = [];
      read(input, random(input.length + 1), authenticated);
      expect(checks.kept, checks.label).toEqual(whole);
    }
    if (seed === warmSeed) warmBytes = heapBytes();
  }
  expect(heapBytes() - warmBytes).toBeLessThan(growthBytesPerInputMax * (last - warmSeed));
});
