import { faultLogMs } from '../base/limits.js';
import { errors } from '../protocol/errors.js';

/** A connection that has ended for what its client did. */
export interface EndedByFault {
  readonly connection: number;
  readonly remoteAddress: string;
  readonly name: string;
  readonly user: string | null;
  readonly reason: string;
}

interface Fault {
  readonly text: string;
  /** Since this was told last. */
  count: number;
  last: EndedByFault | null;
  pause: NodeJS.Timeout | null;
}

const wrongCredentials = 'credentials refused: connection is ended';
const wrongProtocol = 'protocol error: connection is ended';
const texts: ReadonlyMap<string, string> = new Map([
  [errors.authorization.text, wrongCredentials],
  [errors.authTimeout.text, 'no credentials in time: connection is ended'],
  [errors.parser.text, wrongProtocol],
  [errors.unknownOperation.text, wrongProtocol],
  [errors.payload.text, wrongProtocol],
]);

/** Says whose fault it was that connections ended: of each kind the first at once, then, now and then, how many more there were, and which was the last. */
export class FaultLog {
  readonly #tell: (fault: object, text: string) => void;
  readonly #faults = new Map<string, Fault>([...texts.values()].map((text) => [text, newFault(text)]));

  constructor(tell: (fault: object, text: string) => void) {
    this.#tell = tell;
  }

  note(ended: EndedByFault): void {
    const text = texts.get(ended.reason);
    if (text === undefined) return;
    const fault = this.#faults.get(text) as Fault;
    fault.count++;
    fault.last = ended;
    if (fault.pause === null) this.#tellNow(fault);
  }

  #tellNow(fault: Fault): void {
    if (fault.last === null) return;
    const { connection, remoteAddress, name, user, reason } = fault.last;
    this.#tell({ connection, remoteAddress, name, user, reason, count: fault.count }, fault.text);
    fault.count = 0;
    fault.pause = setTimeout(() => {
      fault.pause = null;
      if (fault.count > 0) this.#tellNow(fault);
    }, faultLogMs).unref();
  }
}

function newFault(text: string): Fault {
  return { text, count: 0, last: null, pause: null };
}
