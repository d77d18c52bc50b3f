/**
 * NATS over WebSocket, with the official client, as in a browser (where `wsFactory` is not needed).
 *
 *     npm start -- --ws-port 8080
 *     URL=ws://127.0.0.1:8080 node dist/examples/natsWebSocket.js
 */
import { wsconnect } from '@nats-io/nats-core';
import WebSocket from 'ws';

const connection = await wsconnect({
  servers: process.env.URL ?? 'ws://127.0.0.1:8080',
  // Node 22 and later have a WebSocket of their own
  wsFactory: async (url: string) => ({ socket: new WebSocket(url) as never, encrypted: false }),
});

const subscription = connection.subscribe('prices', { max: 1 });
connection.publish('prices', '42');
for await (const message of subscription) console.log(`${message.subject}: ${message.string()}`);

await connection.drain();
