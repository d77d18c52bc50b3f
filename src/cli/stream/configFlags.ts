import { type Command, InvalidArgumentError, Option } from 'commander';
import { readSyncMs, syncKey, syncTexts } from '../../base/syncPolicy.js';
import type { StreamConfigJson } from '../../protocol/streamApi/json.js';
import { wholeFrom } from '../clientOptions.js';
import { addChoice, addSwitch, limit, parseAge, parseMetadata, parseSize, parseSubjects } from '../flags.js';

type Field = Exclude<keyof StreamConfigJson, 'name'>;

/** The fields of a configuration, by the names that commander gives their flags. */
const fields: Readonly<Record<string, Field>> = {
  subjects: 'subjects',
  description: 'description',
  storage: 'storage',
  retention: 'retention',
  discard: 'discard',
  discardPerSubject: 'discard_new_per_subject',
  maxMsgs: 'max_msgs',
  maxBytes: 'max_bytes',
  maxAge: 'max_age',
  maxMsgSize: 'max_msg_size',
  maxMsgsPerSubject: 'max_msgs_per_subject',
  dupeWindow: 'duplicate_window',
  firstSeq: 'first_seq',
  allowDirect: 'allow_direct',
  allowRollup: 'allow_rollup_hdrs',
  allowMsgTtl: 'allow_msg_ttl',
  denyDelete: 'deny_delete',
  denyPurge: 'deny_purge',
  metadata: 'metadata',
};

/** Adds the flags for what of a stream can change. */
export function addConfigFlags(command: Command): Command {
  const add = <T>(flags: string, what: string, parse: (text: string, earlier?: T) => T) =>
    command.addOption(new Option(flags, what).argParser<T>(parse));
  add('--subjects <LIST>', 'subjects it takes, with commas between', parseSubjects);
  command.option('--description <TEXT>', 'what it is for');
  add('--max-msgs <N>', 'messages it keeps; -1 is no limit', limit(wholeFrom(1)));
  add('--max-bytes <SIZE>', 'bytes it keeps; -1 is no limit', limit(parseSize));
  add('--max-age <TIME>', 'how long it keeps a message; 0 is for ever', parseAge);
  add('--max-msgs-per-subject <N>', 'messages of a subject it keeps; -1 is no limit', limit(wholeFrom(1)));
  add('--max-msg-size <SIZE>', 'largest message it takes; -1 is no limit', limit(parseSize));
  addChoice(command, '--discard <WHICH>', 'what a full stream gives up: old messages, or new ones', ['old', 'new']);
  add('--dupe-window <TIME>', 'how long it knows the ids of messages', parseAge);
  add('--sync <WHEN>', 'when a stream on disk is brought there: always, interval:<ms> or never', parseSync);
  add('--metadata <KEY=VALUE>', 'say something more of it; may be repeated', parseMetadata);
  addSwitch(command, 'discard-per-subject', 'refuse new messages of a full subject (with --discard new)');
  addSwitch(command, 'allow-direct', 'answer direct gets');
  addSwitch(command, 'allow-rollup', 'let a message replace all earlier ones');
  addSwitch(command, 'allow-msg-ttl', 'let a message say how long it lives (header Nats-TTL); it stays so');
  addSwitch(command, 'deny-delete', 'let nobody delete messages');
  addSwitch(command, 'deny-purge', 'let nobody purge it');
  return command;
}

/** Adds the flags for what of a stream is decided when it is made. */
export function addFirstFlags(command: Command): Command {
  addChoice(command, '--storage <KIND>', 'where it is kept', ['file', 'memory']);
  addChoice(command, '--retention <POLICY>', 'when messages go', ['limits', 'interest', 'workqueue']);
  return command.addOption(new Option('--first-seq <N>', 'the first sequence').argParser(wholeFrom(1)));
}

/** The fields that the flags of a command line have set, and no others. */
export function givenFields(options: Readonly<Record<string, unknown>>): Partial<StreamConfigJson> {
  const given = Object.entries(fields).filter(([flag]) => options[flag] !== undefined);
  const config: Partial<StreamConfigJson> = Object.fromEntries(given.map(([flag, field]) => [field, options[flag]]));
  if (typeof options.sync !== 'string') return config;
  return { ...config, metadata: { ...config.metadata, [syncKey]: options.sync } };
}

function parseSync(text: string): string {
  if (readSyncMs(text) !== null) return text;
  throw new InvalidArgumentError(`It must be one of: ${syncTexts.join(', ')}.`);
}
