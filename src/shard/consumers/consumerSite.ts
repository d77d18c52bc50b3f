import type { MessageView } from '../../base/messageView.js';
import type { Stream } from '../../stream/stream.js';
import type { Clock } from '../../stream/times.js';
import type { Address, Addressing } from '../addressing.js';
import type { Slices } from '../streams/slices.js';
import type { ConsumerAdvisories } from './consumerAdvisories.js';
import type { Sending } from './sending.js';

/** What consumers of a shard deliver with. */
export interface ConsumerSite {
  readonly addressing: Addressing;
  readonly sending: Sending;
  readonly slices: Slices;
  /** Milliseconds, of a clock that never goes back. */
  readonly nowMs: () => number;
  readonly clock: Clock;
  readonly advisories: ConsumerAdvisories;
  /** Moves whenever somebody has begun or ceased to listen anywhere. */
  readonly interestVersion: () => number;
  readonly requestTurn: () => void;
  /** Says a status at an address, behind what was sent there; `reply` is its subject. */
  readonly sayAt: (address: Address, reply: Uint8Array, block: Uint8Array) => void;
  /** Tells the replies of a run that what was acknowledged to a stream lasts, once it does. */
  readonly confirm: (run: MessageView, stream: Stream) => void;
  /** Says a status on a subject with a reply, now or not at all. @returns whether it was said */
  readonly ask: (subject: Uint8Array, reply: Uint8Array, block: Uint8Array) => boolean;
}
