import { describe, expect, it } from 'vitest';
import { runCli, startServe, startSilentServer } from './harness.js';

describe('rtt', () => {
  it('tells how long each of so many answers took', async () => {
    const { url } = await startServe();
    const json = await runCli(['rtt', '--server', url, '--count', '3', '--json']);
    expect({ code: json.code, stderr: json.stderr }).toEqual({ code: 0, stderr: '' });
    const { server, times_ms: times } = JSON.parse(json.stdout);
    expect(`nats://${server}`).toBe(url);
    expect(times).toHaveLength(3);
    for (const ms of times) expect(ms).toBeGreaterThan(0);
    const text = await runCli(['rtt', '--server', url, '--count', '2']);
    expect(text.stdout).toMatch(/: 2 round trips, min \d+\.\d{3} ms, avg \d+\.\d{3} ms, max \d+\.\d{3} ms\n$/);
  });

  it('a server that does not answer in time is an error', async () => {
    const url = await startSilentServer();
    const { code, stdout, stderr } = await runCli(['rtt', '--server', url, '--timeout', '100ms']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('no answer within 100ms');
  });
});
