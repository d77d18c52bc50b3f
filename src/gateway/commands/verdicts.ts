import { assert } from '../../base/assert.js';
import type { MessageView } from '../../base/messageView.js';
import { type ProtocolError, publishDenied, reservedReply, topicFull } from '../../protocol/errors.js';
import type { Topic } from '../../router/topic.js';
import type { Connection } from '../connection.js';
import type { CommandsHost } from './host.js';

/** Tells clients whether what they sent was right. */
export class Verdicts {
  readonly #host: Pick<CommandsHost, 'answers' | 'egress'>;

  constructor(host: Pick<CommandsHost, 'answers' | 'egress'>) {
    this.#host = host;
  }

  /** Says that operations were right, to a client that wants to hear it. */
  accept(connection: Connection, count = 1): void {
    const { options, dialect, requestId } = connection;
    if (!options.verbose && requestId === null) return;
    for (let i = 0; i < count; i++) this.#host.egress.write(connection, dialect.ok(requestId));
  }

  refuse(connection: Connection, error: ProtocolError): void {
    this.#host.egress.write(connection, connection.dialect.error(error.text, connection.requestId));
  }

  /** Refuses every message of a run, and returns how many that are; in verbose mode each is acknowledged all the same, as nats-server does. */
  refusePublish(connection: Connection, count: number, error: ProtocolError): number {
    for (let i = 0; i < count; i++) {
      this.refuse(connection, error);
      if (connection.options.verbose) this.accept(connection);
    }
    return count;
  }

  /** Refuses what its publisher has no right to; it is not acknowledged, as with nats-server. */
  deny(connection: Connection, { text }: Topic, count: number): number {
    // who may publish to the topic of the publish before is not asked again
    connection.topic = null;
    for (let i = 0; i < count; i++) this.refuse(connection, publishDenied(text));
    return count;
  }

  /** Refuses a message for its reply; it is not acknowledged, as with nats-server. */
  refuseReply(connection: Connection, message: MessageView): number {
    assert(message.count === 1, 'a message with a reserved reply is alone in its run');
    this.refuse(connection, reservedReply(message.replyText(0)));
    return 1;
  }

  /** Refuses every message of a run because its topic is full: a request is answered, anything else is an error. */
  refuseFull(connection: Connection, topic: Topic, message: MessageView): number {
    for (let i = 0; i < message.count; i++) {
      const asks = connection.options.headers && message.withReplies;
      if (asks && this.#host.answers.topicFull(connection, message, i)) this.accept(connection);
      else this.refusePublish(connection, 1, topicFull(topic.text));
    }
    return message.count;
  }
}
