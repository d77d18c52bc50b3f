import { type Permissions, Rights } from '../../src/router/rights.js';

/** What the tests forbid everybody but `freeUser`. */
class Denied implements Permissions {
  mayPublish(subject: string): boolean {
    return !/^(no|\$TEST\.REQ\.STORE|_INBOX\.no)\./.test(subject) && subject !== '$SHARDCAST.SUB';
  }

  maySubscribe(subject: string, queue: string): boolean {
    return !subject.startsWith('no.') && queue !== 'strangers';
  }

  mayReceive(subject: string): boolean {
    return !subject.endsWith('.secret');
  }
}

export const freeUser = 'free';
export const limited = new Rights(new Denied());
