import { type WebSocket, WebSocketServer } from 'ws';

/** What one writes first with `ws`: every message goes to every other client. Run as a process, with a port. */
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]) });

server.on('connection', (sender: WebSocket) => {
  sender.on('message', (data, isBinary) => {
    for (const client of server.clients) if (client !== sender) client.send(data, { binary: isBinary });
  });
});
