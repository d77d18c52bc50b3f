import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Output } from '../../src/cli/output.js';

/** An output whose reader takes nothing until it is told to. */
function makeOutput() {
  const stream = new PassThrough();
  const calls: string[] = [];
  const flow = { pause: () => void calls.push('pause'), resume: () => void calls.push('resume') };
  return { output: new Output(flow, stream as never), stream, calls };
}

const MIB = Buffer.alloc(1024 * 1024);

describe('Output', () => {
  it('asks for a pause when its reader falls behind, and goes on when it has caught up', async () => {
    const { output, stream, calls } = makeOutput();
    output.push(MIB);
    output.push(MIB);
    output.push(MIB);
    expect(calls).toEqual(['pause']);
    stream.resume();
    await output.end();
    expect(calls).toEqual(['pause', 'resume']);
  });

  it('writes what was pushed together in one piece', async () => {
    const { output, stream } = makeOutput();
    output.push('a', Buffer.from('b'));
    output.push('c');
    const chunks: string[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    await output.end();
    expect(chunks).toEqual(['abc']);
  });

  it('takes a reader that went away for the end of the work', async () => {
    const { output, stream } = makeOutput();
    stream.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    expect(await output.broken).toBe(null);
    output.push('more');
    await output.end();
  });

  it('reports any other failure', async () => {
    const { output, stream } = makeOutput();
    stream.destroy(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    expect(await output.broken).toMatchObject({ code: 'ENOSPC' });
  });
});
