/**
 * NATS over TCP, with the official client: a service and a request.
 *
 *     npm start
 *     SERVER=127.0.0.1:4222 node dist/examples/nats.js
 */
import { connect } from '@nats-io/transport-node';

const connection = await connect({ servers: process.env.SERVER ?? '127.0.0.1:4222' });

connection.subscribe('greet.*', {
  queue: 'greeters',
  callback: (_, request) => void request.respond(`hello, ${request.subject.split('.')[1]}`),
});
const answer = await connection.request('greet.world');
console.log(answer.string());

await connection.drain();
