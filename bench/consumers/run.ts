import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryDirectory } from '../compare/targets.js';
import type { Load } from './loads.js';
import { Api, Peer } from './peer.js';

const stream = 'BENCH';
const liveStream = 'LIVE';
const payloadBytes = 128;
const publishBatch = 500;
const batchesUnderWay = 40;

/** How long a round took, and what it cost whoever measured. */
export interface Took {
  readonly tookMs: number;
  readonly generatorUs: number;
}

/** Makes of generator.c what reads, in a directory. @throws Error without a C compiler */
export function compileGenerator(directory: string): string {
  const program = join(directory, 'generator');
  execFileSync('cc', ['-O2', '-o', program, join(repositoryDirectory, 'bench/consumers/generator.c')]);
  return program;
}

/** Makes the stream and fills it. */
export async function fill(port: number, messages: number): Promise<void> {
  const api = await Api.open(port);
  await createStream(api, stream, 'bench.>');
  api.close();
  const body = `${payloadBytes}\r\n${'x'.repeat(payloadBytes)}\r\n`;
  const plain = `PUB bench.one ${body}`.repeat(publishBatch - 1);
  const block = Buffer.from(`${plain}PUB bench.one filled ${body}`);
  const batches = Math.ceil(messages / publishBatch);
  await new Promise<void>((resolve, reject) => {
    let sent = 0;
    let stored = 0;
    const publishing = Peer.open(port, () => {
      stored++;
      if (stored === batches) publishing.then((peer) => resolve(peer.close()), reject);
      else send();
    });
    const send = (): void =>
      void publishing.then(({ socket }) => {
        for (; sent < batches && sent - stored < batchesUnderWay; sent++) socket.write(block);
      }, reject);
    publishing.then(({ socket }) => {
      socket.write('SUB filled 1\r\n');
      send();
    }, reject);
  });
}

async function createStream(api: Api, name: string, subject: string): Promise<void> {
  await api.ask(`STREAM.CREATE.${name}`, { name, subjects: [subject], storage: 'file' });
}

/** Reads `messages` of the stream by consumers of its own; resolves when all have come, and are acknowledged as the load says. */
export async function consume(program: string, port: number, load: Load, messages: number): Promise<Took> {
  const { workers, batch, acks, isPublished } = load;
  const api = await Api.open(port);
  const read = isPublished ? liveStream : stream;
  if (isPublished) await createStream(api, read, 'live.>');
  const consumers = isPublished ? Array.from({ length: workers }, (_, i) => `C${i}`) : ['C'];
  for (const name of consumers)
    await api.ask(`CONSUMER.CREATE.${read}.${name}`, { stream_name: read, config: configOf(load, name) });
  const given = [port, read, 'C', messages, workers, batch, acks, isPublished ? messages : 0];
  const { stdout } = await promisify(execFile)(program, given.map(String));
  const [tookMs = 0, generatorUs = 0] = stdout.split(' ').map(Number);
  for (const name of consumers) await api.ask(`CONSUMER.DELETE.${read}.${name}`);
  if (isPublished) await api.ask(`STREAM.DELETE.${read}`);
  api.close();
  return { tookMs, generatorUs };
}

function configOf({ batch, acks }: Load, consumer: string): Record<string, unknown> {
  if (acks === 'ordered')
    return { name: consumer, ack_policy: 'none', mem_storage: true, max_deliver: 1, inactive_threshold: 300e9 };
  const config = { durable_name: consumer, ack_policy: acks === 'none' ? 'none' : 'explicit' };
  if (batch > 0) return { ...config, mem_storage: acks === 'none' };
  return { ...config, mem_storage: true, deliver_subject: 'in0', flow_control: true, idle_heartbeat: 5e9 };
}
