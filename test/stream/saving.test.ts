import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { PieceReader, PieceWriter } from '../../src/base/pieces.js';
import { Span } from '../../src/base/span.js';
import { MemoryStorage } from '../../src/log/memoryStorage.js';
import { RecordView } from '../../src/log/storage.js';
import { StreamContents } from '../../src/stream/contents.js';
import { MessageEntry } from '../../src/stream/messageLeaf.js';
import { randomFrom } from '../sim/random.js';

// Invariant 41 of docs/INVARIANTS.md.

/** What is known of messages, where they are not stored. */
class Accounts {
  contents = new StreamContents(new Nowhere(1));
  next = 1;

  enter(text: string, timeUs: number, bytes: number): void {
    const record = new RecordView();
    record.span = new Span(latin1Bytes(text));
    record.subjectEnd = text.length;
    record.sequence = this.next++;
    record.timeUs = timeUs;
    this.contents.enter(record, bytes);
  }

  remove(at: number): void {
    const entry = new MessageEntry();
    if (this.contents.messages.findFrom(at, entry)) this.contents.remove(entry.sequence);
  }

  /** All that can be asked. */
  shown(): unknown {
    return shownOf(this.contents);
  }
}

class Nowhere extends MemoryStorage {
  override remove(): void {}
}

function shownOf({ messages, subjects, bytes, lastTimeUs }: StreamContents): unknown {
  const all: unknown[] = [];
  const entry = new MessageEntry();
  for (let at = 0; messages.findFrom(at, entry); at = entry.sequence + 1) {
    const { sequence, timeUs, subject } = entry;
    const text = subjects.text(subject);
    if (subjects.find(text) !== subject) throw new Error(`${text} is not found`);
    all.push(`${sequence}@${timeUs} ${entry.bytes} ${text} ${subjects.count(subject)} ${subjects.last(subject)}`);
  }
  return { all, bytes, lastTimeUs, size: messages.size, subjects: subjects.size };
}

function restored(bytes: Uint8Array): StreamContents {
  const contents = new StreamContents(new Nowhere(1));
  contents.restore(new PieceReader(bytes));
  return contents;
}

/** Something happens to messages. */
function happen(accounts: Accounts, random: (bound: number) => number, subjects: number, timeUs: number): void {
  const way = random(10);
  if (way < 5) {
    const text = `s.${random(subjects)}`;
    let atUs = timeUs;
    for (let i = random(600); i >= 0; i--) {
      atUs += random(2);
      accounts.enter(way === 0 ? text : `s.${random(subjects)}`, atUs, random(200));
    }
  } else if (way < 8) for (let i = random(700); i > 0; i--) accounts.remove(0);
  else if (way === 8) for (let i = random(300); i > 0; i--) accounts.remove(random(accounts.next));
  // now and then nothing is left
  else if (random(4) === 0) while (accounts.contents.count > 0) accounts.remove(0);
}

test.each([1, 40, 3_000])(
  'what is laid out while messages come and go is what was there before, %i subjects',
  (subjects) => {
    const random = randomFrom(subjects);
    for (let round = 0; round < 4; round++) {
      const accounts = new Accounts();
      let seconds = 0;
      const timeUs = () => 1e15 + 1_000 * seconds++;
      for (let i = 0; i < 30; i++) happen(accounts, random, subjects, timeUs());
      const before = accounts.shown();
      const target = new PieceWriter();
      const pieces: Uint8Array[] = [];
      const steps = accounts.contents.save(target);
      for (let done = false; !done; ) {
        for (let i = random(3); i > 0; i--) happen(accounts, random, subjects, timeUs());
        done = steps.next().done === true;
        pieces.push(target.take());
      }
      const copy = restored(Buffer.concat(pieces));
      expect(shownOf(copy)).toEqual(before);
      // it goes on as any other
      const again = new Accounts();
      again.contents = copy;
      again.next = accounts.next;
      for (let i = 0; i < 5; i++) happen(again, random, subjects, timeUs());
      again.shown();
    }
  },
);

test('what a journal says is gone leaves what would be left if it had been removed', () => {
  const random = randomFrom(9);
  for (let round = 0; round < 3; round++) {
    const [removing, forgetting] = [new Accounts(), new Accounts()];
    const there: number[] = [];
    for (let i = 0; i < 2_000; i++) {
      const text = `s.${random(50)}`;
      for (const each of [removing, forgetting]) each.enter(text, 1e15 + i, i % 90);
      there.push(i + 1);
      // most often the last of its subject is
      for (let left = random(3); left > 0 && there.length > 0; left--) {
        const [gone] = there.splice(random(2) === 0 ? there.length - 1 : random(there.length), 1);
        removing.contents.remove(gone!);
        forgetting.contents.forget(gone!);
      }
    }
    forgetting.contents.findLasts();
    expect(forgetting.shown()).toEqual(removing.shown());
  }
});
