import net, { type Socket } from 'node:net';

/** What one writes first for JSON lines with `net`: `JSON.parse` a line, a write a subscriber. Run as a process, with a port. */
const subscribers = new Map<string, Set<Socket>>();

interface Command {
  command: string;
  topic: string;
  payload: string;
}

function carryOut(socket: Socket, { command, topic, payload }: Command): void {
  const group = subscribers.get(topic) ?? new Set();
  if (command === 'SUB') subscribers.set(topic, group.add(socket));
  else if (command === 'PUB') for (const each of group) each.write(`BROKER BROADCAST [${topic}]: ${payload}\n`);
  else if (command === 'PING') socket.write('{"ok":true,"pong":true}\n');
}

const server = net.createServer({ noDelay: true }, (socket) => {
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) carryOut(socket, JSON.parse(line) as Command);
  });
  socket.on('close', () => {
    for (const group of subscribers.values()) group.delete(socket);
  });
});

server.listen(Number(process.argv[2]), '127.0.0.1');
