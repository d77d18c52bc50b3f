import type { MessageView } from '../base/messageView.js';
import type { ShardProxy } from '../exchange/proxies.js';
import type { QueueNames } from './queueNames.js';
import type { Topic } from './topic.js';

/**
 * Has a message's shard find another member of a group for it. Work is the shard's to keep, whether anybody uses the group's name or
 * not; anything else is lost with the last who did.
 *
 * @returns whether the shard has it
 */
export function requeue(
  names: QueueNames,
  shard: Pick<ShardProxy<Topic>, 'requeue'>,
  topic: Topic,
  queue: string,
  message: MessageView,
  index: number,
): boolean {
  const known = names.find(queue);
  if (known === null && !message.work) return false;
  const name = known ?? names.acquire(queue);
  shard.requeue(topic, name, message, index);
  if (known === null) names.release(name);
  return true;
}
