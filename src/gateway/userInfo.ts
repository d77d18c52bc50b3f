import { accountName } from '../base/account.js';
import type { MessageView } from '../base/messageView.js';
import { cost, type Work } from '../base/work.js';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import { serverFields } from '../protocol/serverFields.js';
import type { BrokerAnswers } from './brokerAnswers.js';
import type { Verdicts } from './commands/verdicts.js';
import type { Connection } from './connection.js';
import type { Greeter } from './greeter.js';

/** What stands for a user who is known by a secret alone. */
const redacted = '[REDACTED]';

/** Answers `$SYS.REQ.USER.INFO`: who the client is that asks, and whom it asks. Only its own gateway knows. */
export class UserInfo {
  readonly #greeter: Greeter;
  readonly #answers: BrokerAnswers;
  readonly #verdicts: Verdicts;
  readonly #work: Work;
  /** Answers so far, on this thread. */
  #sequence = 0;

  constructor(greeter: Greeter, answers: BrokerAnswers, verdicts: Verdicts, work: Work) {
    this.#greeter = greeter;
    this.#answers = answers;
    this.#verdicts = verdicts;
    this.#work = work;
  }

  /** Answers requests of a run, as many as the connection's share lasts for; returns how many. What asks for no answer is nothing. */
  tell(connection: Connection, message: MessageView): number {
    let told = 0;
    while (told < message.count && (told === 0 || !this.#work.spent)) {
      this.#work.units += cost.asking;
      if (message.withReplies) this.#answers.answer(connection, message.replyText(told), this.#text(connection));
      told++;
    }
    this.#verdicts.accept(connection, told);
    return told;
  }

  #text({ options, account: number }: Connection): string {
    const server = serverFields(this.#greeter.info, ++this.#sequence);
    const account = accountName(number);
    return JSON.stringify({ server, data: { user: userOf(options), account, account_name: account } });
  }
}

/** A name, be it one that nobody asked for; a token is a secret. */
export function userOf({ user, authToken }: ConnectOptions): string {
  if (user) return user;
  return authToken ? redacted : '';
}
