import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { NatsConnection } from '@nats-io/transport-node';
import { isKnownToDiffer, isLostByRestart, isToldLate } from './known.js';
import type { Scenario, Step } from './scenarios.js';
import { Side, type SideState } from './side.js';

/** What differs, and after which step; -1 is the beginning. */
export interface Difference {
  readonly step: number;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/** So often both are looked at before they are said to differ: what one of them does may take a while. */
const looksMax = Number(process.env.DIFF_LOOKS ?? 150);
const betweenMs = 10;
let streams = 0;

/** Does a scenario to both, and looks at both after each step; null where they are alike all the way. */
export async function compare(
  peer: NatsConnection,
  own: NatsConnection,
  scenario: Scenario,
): Promise<Difference | null> {
  const both = Both.of(peer, own);
  try {
    return (await both.begin(scenario)) ?? (await both.play(scenario));
  } finally {
    await both.end();
  }
}

/** Both servers, to which the same is done. */
export class Both {
  readonly #sides: readonly [Side, Side];
  /** Whether both were started again. */
  #isMoved = false;
  /** What both were like when they were looked at last. */
  #state: SideState | null = null;

  constructor(...sides: [Side, Side]) {
    this.#sides = sides;
  }

  static of(peer: NatsConnection, own: NatsConnection): Both {
    // as long as any other, since what is delivered counts its subject
    const name = `S${String(++streams).padStart(6, '0')}`;
    return new Both(new Side(peer, name), new Side(own, name));
  }

  async begin(scenario: Scenario): Promise<Difference | null> {
    return (await this.#differ(-1, (side) => side.begin(scenario))) ?? (await this.#settle(-1));
  }

  /** Whether both may be started again without differing for what is known. */
  get survivesRestart(): boolean {
    return !isLostByRestart(this.#state as SideState);
  }

  /** Both servers have been started again; looks whether they are alike. */
  async moveTo(...connections: [NatsConnection, NatsConnection]): Promise<Difference | null> {
    this.#isMoved = true;
    await Promise.all(this.#sides.map((side, i) => side.moveTo(connections[i] as NatsConnection)));
    return await this.#settle(-1);
  }

  /** Does steps from one on and up to another. */
  async play({ stream, steps }: Scenario, from = 0, to = steps.length): Promise<Difference | null> {
    for (const [i, step] of steps.entries()) {
      if (i < from || i >= to) continue;
      const seen = this.#state as SideState;
      if (isKnownToDiffer(step, stream, seen) || (this.#isMoved && isToldLate(step, seen))) continue;
      const found = (await this.#differ(i, (side) => side.act(step, i))) ?? (await this.#settle(i));
      if (found !== null) return found;
    }
    return null;
  }

  async #differ(step: number, act: (side: Side) => Promise<unknown>): Promise<Difference | null> {
    const [theirs, ours] = await Promise.all(this.#sides.map(act));
    return isDeepStrictEqual(theirs, ours) ? null : { step, theirs, ours };
  }

  /** Waits until both are in the same state. */
  async #settle(step: number): Promise<Difference | null> {
    for (let looks = 1; ; looks++) {
      const found = await this.#differ(step, async (side) => {
        this.#state = await side.state();
        return this.#state;
      });
      if (found === null || looks >= looksMax) return found;
      await delay(betweenMs);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#sides.map((side) => side.end()));
  }
}

/** The same with as few steps as show a difference still. */
export async function shortest(
  scenario: Scenario,
  differs: (scenario: Scenario) => Promise<Difference | null>,
): Promise<Scenario> {
  let steps: readonly Step[] = scenario.steps;
  for (let i = steps.length - 1; i >= 0; i--) {
    const without = steps.filter((_, j) => j !== i);
    if ((await differs({ ...scenario, steps: without })) !== null) steps = without;
  }
  return { ...scenario, steps };
}
