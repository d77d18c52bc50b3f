/** What exports spans, as package.json has them as optional peers. None of them is loaded, or has to be there, unless spans are asked for. */
const wanted: Readonly<Record<string, string>> = {
  '@opentelemetry/api': '^1.9.0',
  '@opentelemetry/resources': '^2.0.0',
  '@opentelemetry/sdk-trace-base': '^2.0.0',
  '@opentelemetry/exporter-trace-otlp-proto': '^0.223.0',
};

/** What to tell whoever asks for spans and has not installed what exports them; null when all is there. @param resolve throws for what is not */
export function telemetryLack(resolve: (name: string) => unknown): string | null {
  const missing = Object.entries(wanted).filter(([name]) => !isThere(name, resolve));
  if (missing.length === 0) return null;
  const toInstall = missing.map(([name, version]) => `${name}@${version}`).join(' ');
  return `needs packages that are not installed beside shardcast: npm install ${toInstall}`;
}

function isThere(name: string, resolve: (name: string) => unknown): boolean {
  try {
    resolve(name);
    return true;
  } catch {
    return false;
  }
}
