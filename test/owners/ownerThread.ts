import { BroadcastChannel, parentPort } from 'node:worker_threads';
import type { Role } from '../../src/base/role.js';
import { type ShardSite, ShardThread } from '../../src/broker/shardThread.js';
import type { ShardThreadData } from '../../src/broker/threadMessages.js';
import type { OwnerChangeError } from '../../src/router/ownerChanges.js';
import { channelVariable, type FromOwners, hang, type ToOwners } from './messages.js';

/** Gives patterns owners, as a test asks for it. */
function owners({ self, ownerChanges }: ShardSite): readonly Role[] {
  const channel = new BroadcastChannel(process.env[channelVariable] as string);
  const tell = (what: FromOwners): void => channel.postMessage(what);
  channel.onmessage = (event) => {
    const asked = (event as { data: ToOwners | FromOwners }).data;
    if (asked.type === 'hang' && asked.shard === self) hang(asked.word, () => tell({ type: 'hanging' }));
    if (asked.type !== 'own' || ownerChanges === null) return;
    const { id, pattern, owner } = asked;
    ownerChanges.change(pattern, owner).then(
      () => tell({ type: 'owned', id, error: null, changed: true }),
      ({ message, changed }: OwnerChangeError) => tell({ type: 'owned', id, error: message, changed }),
    );
  };
  channel.unref();
  return [];
}

// A shard's thread on which owners are changed, as `workers/shard.ts` is one without.
const port = parentPort;
if (port === null) throw new Error('a shard runs in a worker thread');
port.once('message', (data: ShardThreadData) => new ShardThread(data, port, owners));
