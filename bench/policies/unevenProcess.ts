import net, { type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reportMs, type UnevenReport, type UnevenRole } from './unevenRole.js';

const tell = (report: UnevenReport): void => {
  process.send?.(report);
};
/** The same clock in all processes. */
const nowMs = (): number => performance.timeOrigin + performance.now();

async function connect(role: UnevenRole, lines: string): Promise<Socket> {
  const socket = net.connect({ port: role.port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  socket.on('close', () => tell({ ended: role.role, atMs: nowMs() }));
  socket.write(`CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n${lines}PING\r\n`);
  for (let text = ''; !text.includes('PONG\r\n'); ) {
    await new Promise((resolve) => socket.once('readable', resolve));
    text += String(socket.read() ?? '');
  }
  return socket;
}

async function read(role: UnevenRole): Promise<void> {
  const socket = await connect(role, 'SUB uneven 1\r\n');
  let bytes = 0;
  let firstMs = 0;
  let stopped = false;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    firstMs ||= nowMs();
    if (role.bytesPerSecond === undefined) return;
    const aheadMs = (bytes / role.bytesPerSecond) * 1000 - (nowMs() - firstMs);
    if (aheadMs < 1) return;
    socket.pause();
    setTimeout(() => stopped || socket.resume(), aheadMs);
  });
  setInterval(() => {
    if (role.stopsAfterMs !== undefined && firstMs > 0 && nowMs() - firstMs > role.stopsAfterMs && !stopped) {
      stopped = true;
      socket.pause();
    }
    tell({ atMs: nowMs(), bytes });
  }, reportMs);
  tell({ ready: true });
}

async function publish(role: UnevenRole): Promise<void> {
  const socket = await connect(role, '');
  const message = `PUB uneven ${role.payloadBytes}\r\n${'x'.repeat(role.payloadBytes)}\r\n`;
  const batchMessages = Math.max(1, Math.floor(65_536 / message.length));
  tell({ ready: true });
  await new Promise((resolve) => process.once('message', resolve));
  socket.resume();
  for (let sent = 0; sent < role.messages && !socket.destroyed; sent += batchMessages) {
    const count = Math.min(batchMessages, role.messages - sent);
    if (!socket.write(message.repeat(count))) await new Promise((resolve) => socket.once('drain', resolve));
    else if (sent % (64 * batchMessages) === 0) await sleep(0);
  }
}

const role = JSON.parse(process.argv[2] ?? '{}') as UnevenRole;
process.once('disconnect', () => process.exit());
await (role.role === 'reader' ? read(role) : publish(role));
