import type { NatsConnection } from '@nats-io/transport-node';
import { Both, type Difference } from './compare.js';
import type { Scenario } from './scenarios.js';

/** Connections to nats-server and to the broker. */
export type Connections = [NatsConnection, NatsConnection];

export interface FoundScenario {
  readonly scenario: Scenario;
  /** Which step was the first behind the restart. */
  readonly restart: number;
  readonly difference: Difference;
}

/**
 * Does scenarios side by side, with one restart of both servers in the middle of all.
 *
 * @param restart starts both again with what they have on disk
 */
export async function compareOverRestart(
  connect: () => Promise<Connections>,
  restart: () => Promise<void>,
  scenarios: readonly Scenario[],
): Promise<FoundScenario[]> {
  const before = await connect();
  const found: FoundScenario[] = [];
  const all = scenarios.map((scenario) => ({
    scenario,
    middle: Math.ceil(scenario.steps.length / 2),
    both: Both.of(...before),
  }));
  const each = async (work: (one: (typeof all)[number]) => Promise<Difference | null>) => {
    const alike: typeof all = [];
    await Promise.all(
      all.splice(0).map(async (one) => {
        const difference = await work(one);
        if (difference === null) alike.push(one);
        else found.push({ scenario: one.scenario, restart: one.middle, difference });
      }),
    );
    all.push(...alike);
  };
  await each(
    async ({ both, scenario, middle }) => (await both.begin(scenario)) ?? (await both.play(scenario, 0, middle)),
  );
  all.splice(0, all.length, ...all.filter(({ both }) => both.survivesRestart));
  for (const connection of before) await connection.close();
  await restart();
  const after = await connect();
  await each(
    async ({ both, scenario, middle }) => (await both.moveTo(...after)) ?? (await both.play(scenario, middle)),
  );
  for (const { both } of all) await both.end();
  for (const connection of after) await connection.close();
  return found;
}
