/**
 * A seeded turnstile for two real threads. A thread runs only while it has the turn and gives it up at gates, where a
 * generator in shared memory chooses who runs next: so at any time one thread runs, and a run replays from its seed.
 *
 * The limit of this: between two gates a thread's plain reads and writes happen in program order and all at once. What
 * a processor or a compiler may do with plain accesses is not explored; the order of atomic operations among each other, and
 * of whole stretches of plain code against them, is.
 */
const turnWord = 0;
const randomWord = 1;
const gatesLeftWord = 2;
const verdictWord = 3;
const stayWord = 4;
const traceWord = 5;
const stateWord = 6;
const waitingWord = 8;
const tokenWord = 10;
const wordCount = 12;

const runnable = 0;
const parked = 1;
const finished = 2;

const verdicts = ['none', 'deadlock', 'livelock', 'aborted'] as const;

/** More gates than any correct run passes: a run that needs more waits for something that never comes. */
const gatesMax = 20_000;

let words: Int32Array | null = null;
let self = 0;
let stopSleeper: (reason: unknown) => void = () => {};

export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** What the two threads of one run share. */
export function createTurnstile(seed: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(wordCount * 4);
  const fresh = new Int32Array(memory);
  fresh[randomWord] = Math.imul(seed + 1, 0x9e3779b1) | 1;
  fresh[gatesLeftWord] = gatesMax;
  // some seeds change threads at every other gate, some let each run for long
  fresh[stayWord] = [0, 64, 128, 192, 240][seed % 5];
  return memory;
}

/** A number that two runs share only if they took the same turns. */
export function traceOf(memory: SharedArrayBuffer): number {
  return new Int32Array(memory)[traceWord];
}

/**
 * Joins a run as one of its two threads, once it has the turn. The promise rejects when the run is stopped while the thread
 * sleeps: whoever waits for the end of that sleep waits for ever.
 */
export function enter(memory: SharedArrayBuffer, thread: number): { stopped: Promise<never> } {
  words = new Int32Array(memory);
  self = thread;
  awaitTurn(words);
  return {
    stopped: new Promise((_, reject) => {
      stopSleeper = reject;
    }),
  };
}

/** Leaves the run; what the other waits for now will never come. */
export function leave(): void {
  const shared = words as Int32Array;
  words = null;
  shared[stateWord + self] = finished;
  passTurn(shared);
}

/** Ends the run for the other thread too: this one has found something wrong. */
export function abort(): void {
  const shared = words;
  words = null;
  if (shared !== null) stop(shared, 3);
}

/** A point at which the other thread may run: before and after every atomic operation, and wherever a test puts one. */
export function gate(): void {
  if (words === null) return;
  if (--words[gatesLeftWord] < 0) stop(words, 2);
  else passTurn(words);
  awaitTurn(words);
}

/** Sleeps until the other thread signals, or has signalled since the last call: a signal that cannot be lost. */
export function sleepUntilSignal(): void {
  const shared = words as Int32Array;
  gate();
  if (shared[tokenWord + self] === 0) park(shared);
  shared[tokenWord + self] = 0;
}

export function signal(): void {
  const shared = words as Int32Array;
  gate();
  shared[tokenWord + 1 - self] = 1;
  // a thread that waits in `beginWait` instead is not meant
  if (shared[stateWord + 1 - self] === parked && shared[waitingWord + 1 - self] === 0)
    shared[stateWord + 1 - self] = runnable;
}

/** The double of `Atomics.waitAsync`, at whose end the thread has the turn again. Called with the turn. */
export function beginWait(index: number): Promise<'ok'> {
  const shared = words as Int32Array;
  shared[waitingWord + self] = index + 1;
  return new Promise((resolve) => {
    queueMicrotask(() => {
      if (words !== shared) return; // the thread has left the run without waiting for its sleep to end
      try {
        gate();
        if (shared[waitingWord + self] !== 0) park(shared);
        resolve('ok');
      } catch (error) {
        stopSleeper(error);
      }
    });
  });
}

/** The double of `Atomics.notify`. Called with the turn. */
export function endWait(index: number): number {
  const shared = words as Int32Array;
  const other = 1 - self;
  if (shared[waitingWord + other] !== index + 1) return 0;
  shared[waitingWord + other] = 0;
  if (shared[stateWord + other] === parked) shared[stateWord + other] = runnable;
  return 1;
}

export function entered(): boolean {
  return words !== null;
}

function park(shared: Int32Array): void {
  shared[stateWord + self] = parked;
  passTurn(shared);
  awaitTurn(shared);
}

function passTurn(shared: Int32Array): void {
  const mine = shared[stateWord + self] === runnable;
  const theirs = shared[stateWord + 1 - self] === runnable;
  if (!mine && !theirs) {
    if (shared[stateWord] === finished && shared[stateWord + 1] === finished) return;
    stop(shared, 1);
    return;
  }
  const next =
    mine && (!theirs || (random(shared) & 0xff) < shared[stayWord] || (random(shared) & 1) === 0) ? self : 1 - self;
  shared[traceWord] = (Math.imul(shared[traceWord], 31) + next + 1) | 0;
  if (next === self) return;
  Atomics.store(shared, turnWord, next);
  Atomics.notify(shared, turnWord);
}

function awaitTurn(shared: Int32Array): void {
  for (;;) {
    const verdict = Atomics.load(shared, verdictWord);
    if (verdict !== 0) throw new Stopped(verdicts[verdict]);
    if (Atomics.load(shared, turnWord) === self) return;
    Atomics.wait(shared, turnWord, 1 - self);
  }
}

function stop(shared: Int32Array, verdict: number): void {
  Atomics.store(shared, verdictWord, verdict);
  Atomics.store(shared, turnWord, 2);
  Atomics.notify(shared, turnWord);
}

/** Xorshift; only the thread that has the turn draws. */
function random(shared: Int32Array): number {
  let state = shared[randomWord];
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  shared[randomWord] = state;
  return state >>> 8;
}
