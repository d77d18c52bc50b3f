import { expect, test } from 'vitest';
import { doRoles } from '../../src/base/role.js';

test('every role does its part in each turn, in order, whatever those before it had to do', () => {
  const done: string[] = [];
  const role = (name: string, worked: boolean) => ({
    doWork: () => {
      done.push(name);
      return worked;
    },
  });
  expect(doRoles([role('a', true), role('b', false), role('c', true)])).toBe(true);
  expect(done.splice(0)).toEqual(['a', 'b', 'c']);
  expect(doRoles([role('a', false), role('b', false)])).toBe(false);
  expect(done).toEqual(['a', 'b']);
});
