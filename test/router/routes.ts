import { QueueInterest, roomUnbounded } from '../../src/router/queueInterest.js';
import { QueueName } from '../../src/router/queueNames.js';
import { QueueRoute } from '../../src/router/queueRoute.js';

/** Members of a group on one subject, by gateway, with room as told. */
export function partOf(name: QueueName, members: readonly number[], room?: readonly number[]): QueueInterest {
  const part = new QueueInterest('a', name, members.length);
  for (const [gateway, count] of members.entries())
    if (count > 0) part.set(gateway, count, room?.[gateway] ?? roomUnbounded);
  return part;
}

/** The route of a group that takes a topic by one subject. */
export function routeOf(members: readonly number[], queue = 'q', turn = 0, room?: readonly number[]): QueueRoute {
  const name = new QueueName(queue, 0, 1);
  name.turn = turn;
  const route = new QueueRoute(name, members.length);
  route.add(partOf(name, members, room));
  return route;
}
