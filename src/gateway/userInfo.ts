import type { MessageView } from '../base/messageView.js';
import { cost, type Work } from '../base/work.js';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import { connectInfo, type ServerInfo } from '../protocol/info.js';
import type { Answers } from './answers.js';
import type { Verdicts } from './commands/verdicts.js';
import type { Connection } from './connection.js';
import type { Greeter } from './greeter.js';

/** What nats-server sets in `flags` where there are streams. */
const jetStreamFlag = 1;
/** What stands for a user who is known by a secret alone. */
const redacted = '[REDACTED]';

/** Answers `$SYS.REQ.USER.INFO`: who the client is that asks, and whom it asks. Only its own gateway knows. */
export class UserInfo {
  readonly #greeter: Greeter;
  readonly #answers: Answers;
  readonly #verdicts: Verdicts;
  readonly #work: Work;
  /** Answers so far, on this thread. */
  #sequence = 0;

  constructor(greeter: Greeter, answers: Answers, verdicts: Verdicts, work: Work) {
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

  #text({ options }: Connection): string {
    const server = serverFields(this.#greeter.info, ++this.#sequence);
    const account = connectInfo.remote_account;
    return JSON.stringify({ server, data: { user: userOf(options), account, account_name: account } });
  }
}

/** The server as nats-server describes itself in what its system account says, in that order. */
function serverFields({ server_name, host, server_id, domain, version, jetstream }: ServerInfo, seq: number): object {
  const time = new Date().toISOString();
  return { name: server_name, host, id: server_id, domain, ver: version, jetstream, flags: jetStreamFlag, seq, time };
}

/** A name, be it one that nobody asked for; a token is a secret. */
export function userOf({ user, authToken }: ConnectOptions): string {
  if (user) return user;
  return authToken ? redacted : '';
}
