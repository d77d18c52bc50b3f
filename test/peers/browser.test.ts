import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

const browserFile = '/usr/bin/chromium';

/** The official client with all that it requires, unchanged, as one script: `loadNats()` gives its exports. */
function natsScript(): string {
  const modules = new Map<string, string>();
  const visit = (file: string): void => {
    if (modules.has(file)) return;
    modules.set(file, '');
    const require = createRequire(file);
    const source = readFileSync(file, 'utf8').replace(/\brequire\("([^"]+)"\)/g, (_, name: string) => {
      const target = require.resolve(name);
      if (target.startsWith('/')) visit(target);
      return `load(${JSON.stringify(target)})`;
    });
    modules.set(file, source);
  };
  const entry = createRequire(import.meta.url).resolve('@nats-io/nats-core');
  visit(entry);
  const table = [...modules].map(
    ([file, source]) => `${JSON.stringify(file)}: function (module, exports, load) {\n${source}\n}`,
  );
  return `
    const sources = {${table.join(',\n')}};
    const loaded = {};
    function load(name) {
      // what Node has of its own is only asked for where there is no browser
      if (!(name in sources)) throw new Error('not in a browser: ' + name);
      if (!(name in loaded)) {
        const module = (loaded[name] = { exports: {} });
        sources[name](module, module.exports, load);
      }
      return loaded[name].exports;
    }
    window.loadNats = () => load(${JSON.stringify(entry)});`;
}

describe('in a real browser', () => {
  const server = useBroker({ shards: 2, args: ['--ws-port', '0', '--jsonl-port', '0'] });
  const pages = createServer((request, response) => {
    const isScript = request.url === '/nats.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? natsScript() : '<!doctype html><script src="/nats.js"></script>');
  });
  let browser: Browser;

  beforeAll(async () => {
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath: browserFile, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    pages.close();
  });

  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
    return page;
  }

  test("NATS's official client publishes, subscribes and is heard over TCP", async () => {
    const page = await openPage();
    const tcp = await RawClient.connect(server.port);
    await tcp.exchange('SUB from.browser 1\r\n');
    const heard = await page.evaluate(`(async () => {
      const nats = window.loadNats();
      const connection = await nats.wsconnect({ servers: 'ws://127.0.0.1:${server.broker.doorPort('websocket')}' });
      const subscription = connection.subscribe('in.browser', { max: 100 });
      connection.publish('from.browser', 'hello from Chromium');
      for (let i = 0; i < 100; i++) connection.publish('in.browser', String(i));
      const heard = [];
      for await (const message of subscription) heard.push(message.string());
      connection.subscribe('service', { callback: (_, request) => request.respond('served') });
      const answer = await connection.request('service', '');
      await connection.drain();
      return [...heard, answer.string()];
    })()`);
    expect(heard).toEqual([...Array.from({ length: 100 }, (_, i) => String(i)), 'served']);
    expect((await tcp.messages(1))[0]?.payload.toString()).toBe('hello from Chromium');
  });

  test("JSON lines need nothing but the browser's own WebSocket", async () => {
    const page = await openPage();
    const text = await page.evaluate(`new Promise((resolve, reject) => {
      const socket = new WebSocket('ws://127.0.0.1:${server.broker.doorPort('websocket')}', 'jsonl');
      socket.onopen = () => {
        socket.send('{"command":"SUB","topic":"test"}');
        socket.send('{"command":"PUB","topic":"test","payload":"100"}');
      };
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = () => reject(new Error('no WebSocket'));
    })`);
    expect(text).toBe('BROKER BROADCAST [test]: 100\n');
  });
});
