import bcrypt from 'bcrypt';
import { expect, test } from 'vitest';
import { mainAccount, systemAccount } from '../../src/base/account.js';
import { Authenticator, isBcryptHash } from '../../src/gateway/authenticator.js';
import { PasswordChecks } from '../../src/gateway/logins/passwordChecks.js';
import { makePasswordMemory } from '../../src/gateway/logins/passwordMemo.js';
import type { Credentials } from '../../src/gateway/options.js';
import { type ConnectOptions, defaultConnectOptions } from '../../src/protocol/connectOptions.js';

const open: Credentials = { user: null, pass: null, token: null, sysUser: null, sysPass: null };
const hash = bcrypt.hashSync('secret', 4);

const attempt = { remoteAddress: '127.0.0.1', state: 'open' } as const;

function authenticator(credentials: Partial<Credentials>): Authenticator {
  return new Authenticator({ ...open, ...credentials }, new PasswordChecks(bcrypt.compare, makePasswordMemory()));
}

async function admits(credentials: Partial<Credentials>, connect: Partial<ConnectOptions>): Promise<boolean> {
  return (await authenticator(credentials).verify({ ...defaultConnectOptions, ...connect }, attempt)) !== null;
}

test('without credentials everybody may come in, whatever they say', async () => {
  expect(authenticator({}).required).toBe(false);
  expect(await admits({}, {})).toBe(true);
  expect(await admits({}, { user: 'x', pass: 'y', authToken: 'z' })).toBe(true);
});

test.each([
  ['plain', 'secret'],
  ['hashed', hash],
  ['hashed by PHP', hash.replace(/^\$2b/, '$2y')],
])('a password, %s', async (_, pass) => {
  const credentials = { user: 'me', pass };
  expect(authenticator(credentials).required).toBe(true);
  expect(await admits(credentials, { user: 'me', pass: 'secret' })).toBe(true);
  for (const wrong of [
    {},
    { user: 'me' },
    { pass: 'secret' },
    { user: 'me', pass: '' },
    { user: 'me', pass: 'Secret' },
    { user: 'me', pass: 'secret ' },
    { user: 'you', pass: 'secret' },
    { user: '', pass: 'secret' },
    { authToken: 'secret' },
    { user: 'me', pass },
  ])
    if (wrong.user !== 'me' || wrong.pass !== 'secret') expect(await admits(credentials, wrong)).toBe(false);
});

test.each([
  ['plain', 'secret'],
  ['hashed', hash],
])('a token, %s', async (_, token) => {
  expect(await admits({ token }, { authToken: 'secret' })).toBe(true);
  for (const wrong of [{}, { authToken: '' }, { authToken: 'Secret' }, { user: 'secret', pass: 'secret' }])
    expect(await admits({ token }, wrong)).toBe(false);
});

test('a plain secret is answered at once, a hash later, and at once when it is known', async () => {
  const connect = { ...defaultConnectOptions, authToken: 'secret' };
  expect(authenticator({ token: 'secret' }).verify(connect, attempt)).toBe(mainAccount);
  const hashed = authenticator({ token: hash });
  const first = hashed.verify(connect, attempt);
  expect(first).toBeInstanceOf(Promise);
  expect(await first).toBe(mainAccount);
  expect(hashed.verify(connect, attempt)).toBe(mainAccount);
});

test('whoever has a wrong name waits for as long as with a wrong password', () => {
  const hashed = authenticator({ user: 'me', pass: hash });
  const connect = { ...defaultConnectOptions, user: 'you', pass: 'wrong' };
  expect(hashed.verify(connect, attempt)).toBeInstanceOf(Promise);
});

test.each([
  ['plain', 'secret'],
  ['hashed', hash],
])('the user of the system account comes into it by its own password alone, %s', async (_, sysPass) => {
  for (const others of [{ user: 'me', pass: 'mine' }, { token: 'mine' }]) {
    const credentials = { ...others, sysUser: 'sys', sysPass };
    const account = async (connect: Partial<ConnectOptions>) =>
      await authenticator(credentials).verify({ ...defaultConnectOptions, ...connect }, attempt);
    expect(await account({ user: 'sys', pass: 'secret' })).toBe(systemAccount);
    expect(await account({ user: 'me', pass: 'mine', authToken: 'mine' })).toBe(mainAccount);
    for (const wrong of [
      {},
      { user: 'sys' },
      { user: 'sys', pass: 'mine', authToken: 'mine' },
      { user: 'me', pass: 'secret', authToken: 'secret' },
      { user: 'sys', pass: sysPass === 'secret' ? 'Secret' : sysPass },
    ])
      expect(await account(wrong)).toBe(null);
  }
});

test('what is a hash', () => {
  expect([hash, hash.replace('$2b', '$2a')].every(isBcryptHash)).toBe(true);
  expect(['', 'secret', '$2b$', hash.slice(1), `${hash}x`, hash.replace('$2b', '$1b')].some(isBcryptHash)).toBe(false);
});
