import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import makeWabt from 'wabt';

async function compile(text: string): Promise<Uint8Array> {
  const wabt = await makeWabt();
  const module = wabt.parseWat('kernel.wat', text, { simd: true, bulk_memory: true });
  module.validate();
  return module.toBinary({}).buffer;
}

/** What src/base/kernelBytes.ts should be: run vitest with -u to write it. */
function render(bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64');
  const lines = (base64.match(/.{1,110}/g) ?? []).map((line) => `  '${line}',\n`);
  return `/** src/base/kernel.wat, compiled; written by test/base/kernelBytes.test.ts. */
const base64 = [
${lines.join('')}];

/** The module's bytes. */
export function kernelModule(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64.join(''), 'base64'));
}
`;
}

test('the kernel that is loaded is what its source compiles to', async () => {
  const bytes = await compile(await readFile(new URL('../../src/base/kernel.wat', import.meta.url), 'utf8'));
  await expect(render(bytes)).toMatchFileSnapshot('../../src/base/kernelBytes.ts');
});
