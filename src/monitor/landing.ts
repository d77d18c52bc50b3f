const links: readonly (readonly [path: string, text: string])[] = [
  ['varz', 'General'],
  ['jsz', 'JetStream'],
  ['connz', 'Connections'],
  ['accountz', 'Accounts'],
  ['accstatz', 'Account Stats'],
  ['subsz', 'Subscriptions'],
  ['routez', 'Routes'],
  ['leafz', 'LeafNodes'],
  ['gatewayz', 'Gateways'],
  ['healthz', 'Health Probe'],
  ['metrics', 'Metrics for Prometheus'],
];

/** What a browser is shown that asks for nothing more: where there is what. */
export function landingPage(): string {
  const items = links.map(([path, text]) => `<li><a href="./${path}">${text}</a> <code>/${path}</code></li>`);
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Shardcast</title>
<style>body { font-family: system-ui, sans-serif; margin: 2rem; line-height: 1.7 }</style></head>
<body><h1>Shardcast</h1><ul>
${items.join('\n')}
</ul></body></html>
`;
}
