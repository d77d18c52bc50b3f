import type { Fields, Step } from './scenarios.js';
import type { SeenConsumer, SideState } from './side.js';

// What docs/PROTOCOL.md says is not as in nats-server: a step after which both would differ for that alone is left out.

/** Whether a step would lead to what is known to differ. @param seen what both are like before it */
export function isKnownToDiffer(step: Step, stream: Fields, seen: SideState): boolean {
  const consumers = Object.values(seen.consumers) as SeenConsumer[];
  switch (step.kind) {
    case 'publish':
      return mayPush(stream, seen) && consumers.some(isStalled);
    case 'purge':
      // where nobody wanted the last messages nats-server does not count them as purged
      if (stream.retention === 'interest' && step.which.seq !== undefined) return true;
      return isPart(step.which) && consumers.some(mayDifferByPurge);
    case 'remove':
      return consumers.some(({ config }) => beginsWithLasts(config));
    case 'create': {
      const { config, num_waiting = 0, push_bound = false } = seen.consumers[step.consumer];
      if (config === undefined) return beginsBehindItsStart(step.config);
      if (filterOf(config) === filterOf(step.config)) return false;
      return filterOf(step.config) === '' || num_waiting > 0 || push_bound;
    }
    default:
      return false;
  }
}

/** Whether a restart of both would, with what they are like before it. */
export function isLostByRestart(seen: SideState): boolean {
  const consumers = Object.values(seen.consumers) as SeenConsumer[];
  // nats-server looks for the last messages anew, and begins behind the last message where it was to begin later
  const isAhead = ({ delivered }: SeenConsumer) => (delivered?.stream_seq ?? 0) > seen.state.last_seq;
  return consumers.some((consumer) => beginsWithLasts(consumer.config) || isAhead(consumer));
}

/** Whether a step behind a restart changes a consumer: nats-server's first answer of that kind tells of before the change. */
export function isToldLate(step: Step, seen: SideState): boolean {
  return step.kind === 'create' && seen.consumers[step.consumer].config !== undefined;
}

/** Whether not all is purged. */
const isPart = (which: Fields): boolean => Object.keys(which).length > 0;

/** Messages in flight, what is counted of several filters, and how far somebody has looked who listens. */
function mayDifferByPurge({
  config = {},
  num_ack_pending = 0,
  num_waiting = 0,
  push_bound = false,
}: SeenConsumer): boolean {
  if (num_ack_pending > 0 || beginsWithLasts(config) || config.filter_subjects !== undefined) return true;
  return filterOf(config) !== '' && (num_waiting > 0 || push_bound);
}

/** What nobody could take with the filters before comes at once; nats-server's comes with what happens next. */
const filterOf = ({ filter_subject, filter_subjects }: Fields): string =>
  String(filter_subject ?? filter_subjects ?? '').replaceAll('@', 'S');

/** nats-server's begins at the first message of its filter, if the stream has none of that up to its start, which is not told here. */
function beginsBehindItsStart(config: Fields): boolean {
  return config.deliver_policy === 'by_start_time' && filterOf(config) !== '';
}

/** What nats-server counts of these is not exact when messages go. */
function beginsWithLasts(config: Fields | undefined): boolean {
  return config?.deliver_policy === 'last_per_subject';
}

/** Whether another message may make one go that was there. */
function mayPush({ max_msgs, max_msgs_per_subject }: Fields, { state }: SideState): boolean {
  return max_msgs_per_subject !== undefined || state.messages === max_msgs;
}

/** What goes makes room for another one, which nats-server delivers before it has counted what has come. */
function isStalled({ config, num_ack_pending = 0 }: SeenConsumer): boolean {
  const max = (config?.max_ack_pending ?? 0) as number;
  return max > 0 && num_ack_pending >= max;
}
