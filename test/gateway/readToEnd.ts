import { once } from 'node:events';
import type { Socket } from 'node:net';

/** What stands behind all that a connection was sent in one run. */
export const endMark = '-ERR end\r\n';

/** All that a connection is sent, up to the mark. */
export async function readToEnd(client: Socket): Promise<string> {
  let text = '';
  while (!text.endsWith(endMark)) {
    const chunk = client.read() as Buffer | null;
    if (chunk === null) await once(client, 'readable');
    else text += chunk.toString('latin1');
  }
  return text;
}
