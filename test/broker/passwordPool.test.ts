import bcrypt from 'bcrypt';
import { expect, test } from 'vitest';
import { PasswordPool } from '../../src/broker/passwordPool.js';

const built = new URL('../../dist/workers/password.js', import.meta.url);
const hash = bcrypt.hashSync('secret', 4);

test('passwords are compared on another thread, which ends', async () => {
  const pool = new PasswordPool(built);
  const answers = ['secret', 'wrong', '', 'secret'].map((given) => pool.compare(given, hash));
  expect(await Promise.all(answers)).toEqual([true, false, false, true]);
  const unfinished = pool.compare('secret', bcrypt.hashSync('secret', 4).replace('$04$', '$13$'));
  await new Promise(setImmediate);
  await Promise.all([pool.end(), expect(unfinished).rejects.toThrow()]);
  await pool.end();
});

test('a thread that cannot begin is told to everybody who waits', async () => {
  const pool = new PasswordPool(new URL('missing.js', built));
  for (let i = 0; i < 2; i++) {
    const answers = await Promise.allSettled([1, 2, 3].map(() => pool.compare('secret', hash)));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  }
  await pool.end();
});

test('one that was never used has nothing to end', async () => {
  await new PasswordPool().end();
});
