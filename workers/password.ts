import { setPriority } from 'node:os';
import bcrypt from 'bcrypt';
import { passwordThreadNice } from '../src/base/limits.js';
import type { PasswordTask } from '../src/broker/passwordPool.js';

// of this thread, where the system knows of priorities of threads: messages come before logins
if (process.platform === 'linux') setPriority(passwordThreadNice);

/** Whether a password is that of a hash. */
export default function compare({ given, hash }: PasswordTask): boolean {
  return bcrypt.compareSync(given, hash);
}
