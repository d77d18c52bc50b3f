import { readFileSync } from 'node:fs';
import type { Broker } from './broker.js';
import type { Target } from './targets.js';

/** What is asked for once a second, as monitoring systems do. */
const paths = ['/metrics', '/varz', '/jsz'];
const everyMs = 1_000;

/** A target that is watched: with a monitoring port, where all that it counts by name is scraped each second. */
export function watchedTarget(name: string, target: Target): Target {
  return {
    name,
    unavailable: () => target.unavailable(),
    async start(shardcastArgs) {
      return watch(await target.start([...shardcastArgs, '--http-port', '0']));
    },
  };
}

function watch(broker: Broker): Broker {
  const address = monitoringAddress(broker.portsFile as string);
  let failed: unknown = null;
  const scrape = async (): Promise<void> => {
    for (const path of paths) await (await fetch(`${address}${path}`)).text();
  };
  const timer = setInterval(() => {
    scrape().catch((error: unknown) => {
      failed ??= error;
    });
  }, everyMs);
  return {
    ...broker,
    async stop() {
      clearInterval(timer);
      await broker.stop();
      if (failed !== null) throw new Error(`it could not be scraped: ${String(failed)}`);
    },
  };
}

function monitoringAddress(portsFile: string): string {
  const { monitoring } = JSON.parse(readFileSync(portsFile, 'utf8')) as { monitoring: readonly string[] };
  return monitoring[0] as string;
}
