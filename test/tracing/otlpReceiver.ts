import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a collector gets it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly parentId: string;
  readonly state: string;
  readonly name: string;
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly timeNs: bigint; readonly attributes: Attributes }[];
  readonly status: number;
  readonly statusText: string;
  /** Of the resource that it is of. */
  readonly resource: Attributes;
}

type Attributes = Readonly<Record<string, string | number | boolean>>;
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const takes: Answer = (_, response) => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();

/** A collector of spans, by OTLP over HTTP with Protobuf. */
export class OtlpReceiver {
  answer = takes;
  readonly spans: ReceivedSpan[] = [];
  /** Requests so far. */
  requests = 0;
  readonly #server: Server;
  readonly #waiting: (() => void)[] = [];

  private constructor() {
    this.#server = createServer((request, response) => void this.#onRequest(request, response));
  }

  static async open(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Takes spans for which something holds, so many, whenever they come, and removes them. */
  async take(count: number, isAsked: (span: ReceivedSpan) => boolean = () => true): Promise<readonly ReceivedSpan[]> {
    const taken: ReceivedSpan[] = [];
    for (;;) {
      for (let at = this.spans.findIndex(isAsked); at >= 0 && taken.length < count; at = this.spans.findIndex(isAsked))
        taken.push(...this.spans.splice(at, 1));
      if (taken.length === count) return taken;
      await this.#change();
    }
  }

  async whenRequested(): Promise<void> {
    const before = this.requests;
    while (this.requests === before) await this.#change();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.requests++;
    if (this.answer === takes) this.spans.push(...readRequest(Buffer.concat(chunks)));
    this.answer(request, response);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A message of Protobuf: its fields by number, each a number or bytes. */
class Fields {
  readonly #values = new Map<number, (bigint | Buffer)[]>();

  constructor(bytes: Buffer) {
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++] as number;
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    const slice = (length: number): Buffer => {
      at += length;
      return bytes.subarray(at - length, at);
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const readers = [
        varint,
        () => slice(8).readBigUInt64LE(),
        () => slice(Number(varint())),
        null,
        null,
        () => BigInt(slice(4).readUInt32LE()),
      ];
      const value = readers[tag & 7]!();
      this.#values.set(tag >> 3, [...(this.#values.get(tag >> 3) ?? []), value]);
    }
  }

  all(field: number): Fields[] {
    return (this.#values.get(field) ?? []).map((value) => new Fields(value as Buffer));
  }

  has(field: number): boolean {
    return this.#values.has(field);
  }

  number(field: number): bigint {
    return (this.#values.get(field)?.[0] ?? 0n) as bigint;
  }

  bytes(field: number): Buffer {
    return (this.#values.get(field)?.[0] ?? Buffer.alloc(0)) as Buffer;
  }
}

function attributesOf(owner: Fields, field: number): Attributes {
  return Object.fromEntries(owner.all(field).map((each) => [each.bytes(1).toString(), anyValue(each.all(2)[0]!)]));
}

function anyValue(value: Fields): string | number | boolean {
  if (value.has(1)) return value.bytes(1).toString();
  return value.has(2) ? value.number(2) === 1n : Number(BigInt.asIntN(64, value.number(3)));
}

function readRequest(body: Buffer): ReceivedSpan[] {
  return new Fields(body).all(1).flatMap((ofResource) => {
    const resource = attributesOf(ofResource.all(1)[0]!, 1);
    return ofResource.all(2).flatMap((scope) => scope.all(2).map((span) => readSpan(span, resource)));
  });
}

function readSpan(span: Fields, resource: Attributes): ReceivedSpan {
  const status = span.all(15)[0];
  return {
    traceId: span.bytes(1).toString('hex'),
    parentId: span.bytes(4).toString('hex'),
    state: span.bytes(3).toString(),
    name: span.bytes(5).toString(),
    kind: Number(span.number(6)),
    startNs: span.number(7),
    endNs: span.number(8),
    attributes: attributesOf(span, 9),
    events: span.all(11).map((event) => ({
      name: event.bytes(2).toString(),
      timeNs: event.number(1),
      attributes: attributesOf(event, 3),
    })),
    status: Number(status?.number(3) ?? 0n),
    statusText: status?.bytes(2).toString() ?? '',
    resource,
  };
}
