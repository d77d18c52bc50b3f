/**
 * A producer and a consumer over WebSocket, in JSON lines.
 *
 *     npm start -- --ws-port 8080
 *     MODE=consumer TOPIC=mytopic npm run client
 *     MODE=producer TOPIC=mytopic npm run client
 *
 * `URL` is where the broker is (ws://127.0.0.1:8080), `INTERVAL_MS` how often the producer publishes (1000).
 */
import WebSocket from 'ws';

const { MODE = 'consumer', TOPIC = 'mytopic', URL = 'ws://127.0.0.1:8080', INTERVAL_MS = '1000' } = process.env;

const socket = new WebSocket(URL, 'jsonl');
const send = (command: object): void => socket.send(JSON.stringify(command));

socket.on('open', () => {
  if (MODE === 'producer') produce();
  else consume();
});
// a message holds one line or several
socket.on('message', (data) => process.stdout.write(String(data)));
socket.on('close', (code, reason) => {
  console.error(`closed: ${code} ${reason}`);
  process.exit(1);
});
socket.on('error', (error) => console.error(error.message));

function produce(): void {
  let number = 0;
  setInterval(() => {
    const payload = `message ${++number}`;
    send({ command: 'PUB', topic: TOPIC, payload });
    console.log(`published to ${TOPIC}: ${payload}`);
  }, Number(INTERVAL_MS));
}

function consume(): void {
  send({ command: 'SUB', topic: TOPIC });
}
