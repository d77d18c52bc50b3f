import { isatty } from 'node:tty';
import { parseArgs } from 'node:util';
import { type ChaosFigures, runChaos } from './chaos.js';

const usage = `npm run chaos -- [--minutes M] [--seed S]

Brokers are started and killed, one after the other, with 1, 2 and 4 shards, while publishers wait for acknowledgements and streams are made, changed,
purged and removed, and durable consumers of every kind work; the disks of some of them take no more from some point on. Where images may be mounted (as root) data lies on one, which gets full now and
then. What was acknowledged has to be there, once, in order and unaltered; what was confirmed to a consumer is not delivered again, all else is.

  --minutes M   how long (1)
  --seed S      what follows from it is done again (a random one)
`;
const isTerminal = isatty(2);

function textOf(figures: ChaosFigures): string {
  const { lives, kills, killedStarts, brokenDisks, failedStarts, fullDisks, acknowledged, changes, confirmed } =
    figures;
  const counts = [
    `${lives} lives`,
    `${kills} kills (${killedStarts} of them at a start)`,
    `${brokenDisks} broken and ${fullDisks} full disks (${failedStarts} did not start)`,
  ];
  const said = [
    `${acknowledged.toLocaleString('en')} messages acknowledged`,
    `${changes.toLocaleString('en')} changes`,
    `${confirmed.toLocaleString('en')} confirmed to consumers`,
  ];
  return [...counts, ...said].join(', ');
}

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const minutes = Number(flags.minutes);
const seed = flags.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(flags.seed);

if (flags.help) process.stdout.write(usage);
else if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  // what is mounted is not left behind
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  console.log(`seed ${seed}, ${minutes} minutes`);
  const onLife = (figures: ChaosFigures) => void (isTerminal && process.stderr.write(`\r\u001b[K${textOf(figures)}`));
  try {
    const figures = await runChaos({ seconds: minutes * 60, seed, onLife, ownDisk: true });
    if (isTerminal) process.stderr.write('\r\u001b[K');
    console.log(
      `${textOf(figures)}; all of it is there, once, in order, unaltered; nothing that was confirmed came again, all else came`,
    );
  } catch (error) {
    console.error(`\n${(error as Error).stack}\nagain with: npm run chaos -- --minutes ${minutes} --seed ${seed}`);
    process.exitCode = 1;
  }
}
