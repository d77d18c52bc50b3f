import { inspect } from 'node:util';
import { BrokerError } from '../base/brokerError.js';

export { StreamError } from '../base/streamError.js';
export { BrokerError };

/** A subject that is none, or that has wildcards where only a literal one will do. */
export class SubjectError extends BrokerError {
  override readonly name = 'SubjectError';

  /** @internal */
  constructor(message: string) {
    super('BAD_SUBJECT', message);
  }
}

/** An option, a header or a value of a kind that is not allowed. */
export class ArgumentError extends BrokerError {
  override readonly name = 'ArgumentError';

  /** @internal */
  constructor(message: string) {
    super('BAD_ARGUMENT', message);
  }
}

/** A value that the topic's schema does not accept; `issues` is what the schema said. */
export class ValidationError extends BrokerError {
  override readonly name = 'ValidationError';
  readonly issues: readonly { readonly message: string }[];

  /** @internal */
  constructor(subject: string, issues: readonly { readonly message: string }[], cause?: unknown) {
    super('INVALID_VALUE', `${subject}: ${issues.map(({ message }) => message).join('; ')}`, { cause });
    this.issues = issues;
  }
}

/** A value that the topic's codec cannot make bytes of; `cause` is what the codec threw. */
export class EncodeError extends BrokerError {
  override readonly name = 'EncodeError';

  /** @internal */
  constructor(subject: string, cause: unknown) {
    super('NOT_ENCODABLE', `${subject}: the value cannot be encoded: ${textOf(cause)}`, { cause });
  }
}

/** A payload that is none of the topic's codec; `cause` is what the codec threw. */
export class DecodeError extends BrokerError {
  override readonly name = 'DecodeError';

  /** @internal */
  constructor(subject: string, cause: unknown) {
    super('NOT_DECODABLE', `${subject}: the payload cannot be decoded: ${textOf(cause)}`, { cause });
  }
}

/** Strict mode: the topic was not declared. */
export class UnknownTopicError extends BrokerError {
  override readonly name = 'UnknownTopicError';

  /** @internal */
  constructor(subject: string) {
    super('UNKNOWN_TOPIC', `topic ${JSON.stringify(subject)} is not declared`);
  }
}

/** What has been asked for is not allowed; the message is that which a client of the network gets. */
export class PermissionError extends BrokerError {
  override readonly name = 'PermissionError';

  /** @internal */
  constructor(message: string) {
    super('NOT_PERMITTED', message);
  }
}

/** Payload and headers together are larger than the broker's `maxPayloadBytes`. */
export class PayloadTooLargeError extends BrokerError {
  override readonly name = 'PayloadTooLargeError';

  /** @internal */
  constructor(subject: string, lengthBytes: number, maxBytes: number) {
    super('PAYLOAD_TOO_LARGE', `a message of ${lengthBytes} bytes for ${subject} exceeds the limit of ${maxBytes}`);
  }
}

/** The topic, or what may wait to be published, is full and refuses more. */
export class TopicFullError extends BrokerError {
  override readonly name = 'TopicFullError';

  /** @internal */
  constructor(subject: string) {
    super('TOPIC_FULL', `topic ${subject} is full`);
  }
}

/** Nobody listens to a request. */
export class NoRespondersError extends BrokerError {
  override readonly name = 'NoRespondersError';

  /** @internal */
  constructor(subject: string) {
    super('NO_RESPONDERS', `nobody answers ${subject}`);
  }
}

/** No answer came in time. */
export class TimeoutError extends BrokerError {
  override readonly name = 'TimeoutError';

  /** @internal */
  constructor(subject: string, timeoutMs: number) {
    super('TIMEOUT', `no answer from ${subject} within ${timeoutMs} ms`);
  }
}

/** Whoever answered a request says that it failed. */
export class RequestFailedError extends BrokerError {
  override readonly name = 'RequestFailedError';

  /** @internal */
  constructor(subject: string, reason: string) {
    super('REQUEST_FAILED', `${subject}: ${reason}`);
  }
}

/** A subscription with the policy `disconnect` did not keep up. */
export class SlowConsumerError extends BrokerError {
  override readonly name = 'SlowConsumerError';

  /** @internal */
  constructor(subject: string, dropped: number) {
    super('SLOW_CONSUMER', `the subscription to ${subject} lost ${dropped} messages in a row and was ended`);
  }
}

/** The broker, or this end of it, has been stopped. */
export class ClosedError extends BrokerError {
  override readonly name = 'ClosedError';

  /** @internal */
  constructor() {
    super('CLOSED', 'the broker is closed');
  }
}

/**
 * A call was given up by its signal; `cause` is the signal's reason. The name is that of such errors everywhere, so that
 * `error.name === 'AbortError'` holds.
 */
export class AbortedError extends BrokerError {
  override readonly name = 'AbortError';

  /** @internal */
  constructor(reason: unknown) {
    super('ABORTED', `given up: ${textOf(reason)}`, { cause: reason });
  }
}

/** A thread of the broker failed, which is the broker's own mistake; `cause` is what it threw. The broker is of no use any more. */
export class FailedError extends BrokerError {
  override readonly name = 'FailedError';

  /** @internal */
  constructor(cause: unknown) {
    super('FAILED', `the broker failed: ${textOf(cause)}`, { cause });
  }
}

/** Shardcast cannot run here: Node is too old, or it is no Node, or the platform will not do. */
export class UnsupportedError extends BrokerError {
  override readonly name = 'UnsupportedError';

  /** @internal */
  constructor(why: string) {
    super('UNSUPPORTED', why);
  }
}

/** `publishSync` was aborted; `missing` names whoever had not taken the message by then. */
export class SyncAbortedError extends BrokerError {
  override readonly name = 'SyncAbortedError';
  readonly missing: readonly string[];

  /** @internal */
  constructor(subject: string, missing: readonly string[], cause: unknown) {
    super('SYNC_ABORTED', `not taken yet by ${missing.join(', ')}: ${subject}`, { cause });
    this.missing = missing;
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : inspect(cause);
}
