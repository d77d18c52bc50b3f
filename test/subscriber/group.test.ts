import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Group, type GroupMember } from '../../src/subscriber/group.js';

// Invariant 17 of docs/INVARIANTS.md.

interface Member extends GroupMember {
  readonly connection: number;
}

const members = fc.array(
  fc.record({
    open: fc.boolean(),
    workRoom: fc.constantFrom(undefined, undefined, 0, 3),
    keepsUp: fc.boolean(),
    load: fc.nat(5),
  }),
  { minLength: 1, maxLength: 6 },
);

const asMember = (fields: { open: boolean } & Pick<Member, 'workRoom' | 'keepsUp' | 'load'>, i: number): Member => ({
  ...fields,
  connection: i + 1,
  identity: Math.imul(i + 1, 0x9e3779b1),
  mayTake: (except) => fields.open && except !== i + 1,
});

test('whoever keeps up comes first, else who has least to do; nobody gets what it may not or has no room for', () => {
  fc.assert(
    fc.property(members, fc.nat(6), fc.nat(5), (list, except, start) => {
      const group = new Group<Member>(false);
      const all = list.map(asMember);
      for (const member of all) group.join(member);
      group.startAt(start);
      const allowed = all.filter((member) => member.mayTake(except) && member.workRoom !== 0);
      const keepingUp = allowed.filter(({ keepsUp }) => keepsUp);
      const leastLoad = Math.min(...allowed.map(({ load }) => load));
      const best = keepingUp.length > 0 ? keepingUp : allowed.filter(({ load }) => load === leastLoad);
      const seen = new Set<Member>();
      for (let turn = 0; turn < all.length; turn++) {
        const index = group.next(except);
        if (allowed.length === 0) expect(index).toBe(-1);
        else seen.add(all[index]!);
      }
      // as many turns as there are members are enough for each of the best to have one
      expect(seen).toEqual(new Set(best));
    }),
    { numRuns: 1000 },
  );
});

test('a key stays with its member while that may take it, whoever else comes, goes or lags', () => {
  fc.assert(
    fc.property(members, fc.nat(), fc.nat(6), (list, keyHash, except) => {
      const ofAll = new Group<Member>(true);
      const ofOpen = new Group<Member>(true);
      const all = list.map(asMember);
      for (const member of all) ofAll.join(member);
      for (const member of [...all].reverse()) if (member.mayTake(except)) ofOpen.join(member);
      const chosen = ofAll.members[ofAll.ofKey(keyHash, except)];
      expect(chosen).toBe(ofOpen.members[ofOpen.ofKey(keyHash, 0)]);
    }),
    { numRuns: 1000 },
  );
});
