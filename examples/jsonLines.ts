/**
 * JSON lines over TCP, with nothing but Node: subscribes, publishes, and prints what comes back as objects.
 *
 *     npm start -- --jsonl-port 4223
 *     PORT=4223 node dist/examples/jsonLines.js
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const socket = connect(Number(process.env.PORT ?? 4223), '127.0.0.1');
const send = (command: object): boolean => socket.write(`${JSON.stringify(command)}\n`);

send({ command: 'FORMAT', format: 'json' });
send({ command: 'SUB', topic: 'quotes.*', id: 'subscribed' });

for await (const line of createInterface(socket)) {
  const message = JSON.parse(line) as { id?: string; error?: string; topic?: string; payload?: string; key?: string };
  if (message.error !== undefined) throw new Error(message.error);
  if (message.id === 'subscribed') send({ command: 'PUB', topic: 'quotes.acme', payload: '101.5', key: 'acme' });
  if (message.topic !== undefined) {
    console.log(`${message.topic}: ${message.payload} (key ${message.key})`);
    socket.end();
  }
}
