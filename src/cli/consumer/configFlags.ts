import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ConsumerConfigJson } from '../../protocol/streamApi/consumerJson.js';
import { filtersOf, speedOf } from '../../protocol/streamApi/storedReading.js';
import { parseSubject, wholeFrom } from '../clientOptions.js';
import {
  addChoice,
  addSwitch,
  limit,
  parseAge,
  parseInstant,
  parseMetadata,
  parseSize,
  parseSubjects,
} from '../flags.js';

type Field = Exclude<keyof ConsumerConfigJson, 'name' | 'durable_name' | 'filter_subject'>;

/** The fields of a configuration, by the names that commander gives their flags. */
const fields: Readonly<Record<string, Field>> = {
  description: 'description',
  deliverPolicy: 'deliver_policy',
  optStartSeq: 'opt_start_seq',
  optStartTime: 'opt_start_time',
  ackPolicy: 'ack_policy',
  ackWait: 'ack_wait',
  maxDeliver: 'max_deliver',
  backoff: 'backoff',
  filterSubjects: 'filter_subjects',
  replayPolicy: 'replay_policy',
  rateLimitBps: 'rate_limit_bps',
  sampleFreq: 'sample_freq',
  maxWaiting: 'max_waiting',
  maxAckPending: 'max_ack_pending',
  flowControl: 'flow_control',
  headersOnly: 'headers_only',
  maxBatch: 'max_batch',
  maxExpires: 'max_expires',
  maxBytes: 'max_bytes',
  deliverSubject: 'deliver_subject',
  deliverGroup: 'deliver_group',
  idleHeartbeat: 'idle_heartbeat',
  inactiveThreshold: 'inactive_threshold',
  memStorage: 'mem_storage',
  metadata: 'metadata',
  pauseUntil: 'pause_until',
  priorityGroups: 'priority_groups',
  priorityPolicy: 'priority_policy',
  priorityTimeout: 'priority_timeout',
};

const deliverPolicies = ['all', 'last', 'new', 'by_start_sequence', 'by_start_time', 'last_per_subject'];

/** Adds the flags for what of a consumer can be said: the fields of its configuration, with dashes. */
export function addConfigFlags(command: Command): Command {
  const add = <T>(flags: string, what: string, parse: (text: string, earlier?: T) => T) =>
    command.addOption(new Option(flags, what).argParser<T>(parse));
  command.option('--description <TEXT>', 'what it is for');
  add('--filter-subjects <LIST>', 'what of the stream it is for, with commas between', parseSubjects);
  addChoice(command, '--deliver-policy <WHERE>', 'where it begins', deliverPolicies);
  add('--opt-start-seq <N>', 'the sequence it begins with', wholeFrom(1));
  add('--opt-start-time <TIME>', 'the time it begins with', parseInstant);
  addChoice(
    command,
    '--ack-policy <POLICY>',
    'what is acknowledged: explicit, each message; all, those before it, too',
    ['none', 'all', 'explicit'],
  );
  add('--ack-wait <TIME>', 'how long it waits before it delivers a message again', parseAge);
  add('--max-deliver <N>', 'how often it delivers a message; -1 is no limit', limit(wholeFrom(1)));
  add('--backoff <LIST>', 'waits in place of --ack-wait, delivery by delivery, with commas between', parseAges);
  add('--max-ack-pending <N>', 'messages that may be under way; -1 is no limit', limit(wholeFrom(1)));
  addChoice(command, '--replay-policy <POLICY>', 'original keeps the time between messages', ['instant', 'original']);
  add('--speed <N>', 'replay so many times as fast as messages came (Shardcast only)', parseSpeed);
  addSwitch(command, 'headers-only', 'deliver headers and size, no payload');
  command.option('--sample-freq <PERCENT>', 'how many acknowledgements are reported');
  add('--max-waiting <N>', 'requests that may wait', wholeFrom(1));
  add('--max-batch <N>', 'messages one may ask for at a time', wholeFrom(1));
  add('--max-expires <TIME>', 'how long a request may wait', parseAge);
  add('--max-bytes <SIZE>', 'bytes one may ask for at a time', parseSize);
  add('--deliver-subject <SUBJECT>', 'push messages there, in place of being asked', parseSubject);
  command.option('--deliver-group <NAME>', 'queue group that shares what is pushed');
  addSwitch(command, 'flow-control', 'wait for who takes what is pushed');
  add('--idle-heartbeat <TIME>', 'how often it says that there is nothing to push', parseAge);
  add('--rate-limit-bps <N>', 'bits a second it pushes at most', wholeFrom(1));
  add('--inactive-threshold <TIME>', 'removed when nobody uses it for so long', parseAge);
  addSwitch(command, 'mem-storage', 'keep where it is in memory alone');
  add('--pause-until <TIME>', 'deliver nothing before', parseInstant);
  add('--priority-groups <LIST>', 'groups of those who ask, with commas between', parseList);
  addChoice(command, '--priority-policy <POLICY>', 'who of them is served', [
    'overflow',
    'pinned_client',
    'prioritized',
  ]);
  add('--priority-timeout <TIME>', 'how long a pinned client may be silent', parseAge);
  add('--metadata <KEY=VALUE>', 'say something more of it; may be repeated', parseMetadata);
  return command;
}

/** The fields that the flags of a command line have set, and what follows from them. */
export function givenFields(options: Readonly<Record<string, unknown>>): Partial<ConsumerConfigJson> {
  const given = Object.entries(fields).filter(([flag]) => options[flag] !== undefined);
  const { filter_subjects, ...config }: Partial<ConsumerConfigJson> = Object.fromEntries(
    given.map(([flag, field]) => [field, options[flag]]),
  );
  return { ...startOf(config), ...config, ...filtersOf(filter_subjects), ...speedOf(config, options.speed) };
}

export function parseSpeed(text: string): number {
  const speed = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && speed > 0) return speed;
  throw new InvalidArgumentError('It must be a number such as 10 or 0.5.');
}

function startOf({ opt_start_seq, opt_start_time }: Partial<ConsumerConfigJson>): Partial<ConsumerConfigJson> {
  if (opt_start_seq !== undefined) return { deliver_policy: 'by_start_sequence' };
  return opt_start_time === undefined ? {} : { deliver_policy: 'by_start_time' };
}

function parseAges(text: string): readonly number[] {
  return parseList(text).map(parseAge);
}

function parseList(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim());
}
