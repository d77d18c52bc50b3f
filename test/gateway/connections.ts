import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import koffi from 'koffi';
import { complete } from '../../src/base/slices.js';
import { Audiences } from '../../src/gateway/audience.js';
import { Connection } from '../../src/gateway/connection.js';
import type { Door } from '../../src/gateway/doors/door.js';
import type { EgressEvents } from '../../src/gateway/egress.js';
import { FanoutPlan } from '../../src/gateway/fanoutPlan.js';
import { Looks } from '../../src/gateway/looks.js';
import type { EgressLimits } from '../../src/gateway/output/pending.js';
import { Subscription } from '../../src/gateway/subscription.js';
import { defaultConnectOptions } from '../../src/protocol/connectOptions.js';
import { natsDialect } from '../../src/protocol/natsDialect.js';
import { opcode } from '../../src/protocol/webSocketFrame.js';
import type { Topic } from '../../src/router/topic.js';

/** A door whose connections are written to only. */
export const testDoor: Door = {
  name: 'nats',
  dialect: natsDialect,
  options: defaultConnectOptions,
  frameOpcode: 0,
  reader: {
    outcome: 'ended',
    neededBytes: 0,
    lastWord: new Uint8Array(0),
    read: () => {
      throw new Error('nothing is read in this test');
    },
  },
};

/** The same, with WebSocket frames around what is written. */
export const framedDoor: Door = { ...testDoor, frameOpcode: opcode.binary };

/** For an egress whose limits do not matter. */
export const roomyLimits: EgressLimits = { maxPendingBytes: 1 << 30, topicBufferBytes: 1 << 20 };

/** For an egress whose events do not matter. */
export const quietEvents: EgressEvents = {
  onOverflow: () => {},
  onFullness: () => {},
  onBehind: () => {},
  onOwed: () => {},
  onTaken: () => {},
  onDrained: () => {},
};

/** A connection that has not said who it is, and whose socket is never used. */
export function strangeConnection(id: number, door: Door = testDoor): Connection {
  return new Connection(id, null as unknown as Socket, -1, 'test', door);
}

/** A connection whose socket is never used. */
export function idleConnection(id: number, door: Door = testDoor): Connection {
  const connection = strangeConnection(id, door);
  connection.login.admit();
  return connection;
}

/** How a gateway with these looks fans out a topic, which is fresh. */
export function planOf(topic: Topic, looks = new Looks()): FanoutPlan {
  return complete(FanoutPlan.make(topic, topic.entries, new Audiences(), 0, looks));
}

/** A subscription of a connection, as commands would make it. */
export function subscribed(connection: Connection, subject: string, sid: string, queue = ''): Subscription {
  const subscription = new Subscription(connection, subject, queue, sid);
  connection.subscriptions.set(sid, subscription);
  return subscription;
}

const socketLevel = 1;
const sendBufferOption = 7;
const receiveBufferOption = 8;

/**
 * Makes the kernel take little at once, so that a short test meets what otherwise takes megabytes. Not less: a buffer of
 * few segments makes each wait for a delayed acknowledgement.
 */
function shrinkBuffer(socket: Socket, option: number, bytes: number): void {
  if (process.platform !== 'linux') return;
  const setOption = koffi
    .load(null)
    .func('int setsockopt(int fd, int level, int name, const int *value, uint32_t length)');
  setOption(descriptorOf(socket), socketLevel, option, Int32Array.of(bytes), 4);
}

export function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

/** A connection with a real socket, and the client at its other end, which reads when it is told to. */
export interface Pair {
  readonly connection: Connection;
  readonly client: Socket;
}

/** Makes TLS of a connection, by a key that both ends know. */
async function secured(
  socket: Socket,
  client: Socket,
): Promise<{ socket: Socket; client: Socket; descriptor: number }> {
  const psk = Buffer.alloc(32, 7);
  const common = { ciphers: 'PSK', maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' } as const;
  // a server's socket takes it, too, though the types do not say so
  const serverOptions: tls.TLSSocketOptions & Pick<tls.TlsOptions, 'pskCallback'> = {
    ...common,
    isServer: true,
    pskCallback: () => psk,
  };
  const server = new tls.TLSSocket(socket, serverOptions);
  const secureClient = tls.connect({
    ...common,
    socket: client,
    pskCallback: () => ({ psk, identity: 'test' }),
    checkServerIdentity: () => undefined,
  });
  await once(secureClient, 'secureConnect');
  secureClient.pause();
  return { socket: server, client: secureClient, descriptor: -1 };
}

/** Real loopback connections. End them with `close`. */
export class Loopback {
  readonly pairs: Pair[] = [];
  readonly #server = net.createServer({ pauseOnConnect: true });

  /** @param isSecure which of the connections speak TLS, so that what they are written goes by a stream */
  static async open(
    count: number,
    door: Door = testDoor,
    isSecure: (id: number) => boolean = () => false,
  ): Promise<Loopback> {
    const loopback = new Loopback();
    const server = loopback.#server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    for (let id = 1; id <= count; id++) {
      const accepted = once(server, 'connection');
      const client = net.connect({ port, host: '127.0.0.1' });
      client.pause();
      await once(client, 'connect');
      const [socket] = (await accepted) as [Socket];
      shrinkBuffer(socket, sendBufferOption, 32_768);
      shrinkBuffer(client, receiveBufferOption, 131_072);
      const pair = isSecure(id) ? await secured(socket, client) : { socket, client, descriptor: descriptorOf(socket) };
      const connection = new Connection(id, pair.socket, pair.descriptor, 'test', door);
      connection.login.admit();
      loopback.pairs.push({ connection, client: pair.client });
    }
    return loopback;
  }

  close(): void {
    for (const { connection, client } of this.pairs) {
      client.destroy();
      connection.socket.destroy();
    }
    this.#server.close();
  }
}

/** Reads until so many bytes have come. */
export async function readBytes(client: Socket, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const chunk = client.read() as Buffer | null;
    if (chunk === null) await once(client, 'readable');
    else text += chunk.toString('latin1');
  }
  return text;
}
