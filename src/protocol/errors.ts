import { byteText } from '../base/bytes.js';

/**
 * What a client can do wrong, in NATS's own words. The text goes out as `-ERR '<text>'`; what it repeats of a client's own words is
 * one character a byte of their UTF-8, as subjects are kept.
 * Which of them close the connection is stated beside each text.
 */
export interface ProtocolError {
  readonly text: string;
  readonly closes: boolean;
}

const closing = (text: string): ProtocolError => ({ text, closes: true });
const staying = (text: string): ProtocolError => ({ text, closes: false });

export const errors = {
  unknownOperation: closing('Unknown Protocol Operation'),
  parser: closing('Parser Error'),
  controlLine: closing('maximum control line exceeded'),
  payload: closing('Maximum Payload Violation'),
  authorization: closing('Authorization Violation'),
  authTimeout: closing('Authentication Timeout'),
  staleConnection: closing('Stale Connection'),
  slowConsumer: closing('Slow Consumer'),
  memoryExceeded: closing('Maximum Memory Exceeded'),
  connections: closing('maximum connections exceeded'),
  serverShutdown: closing('Server Shutdown'),
  headersUnsupported: closing('message headers not supported'),
  clientProtocol: closing('invalid client protocol'),
  noRespondersNeedsHeaders: closing('no responders requires headers support'),
  subscriptions: staying('maximum subscriptions exceeded'),
  invalidSubject: staying('Invalid Subject'),
  invalidPublishSubject: staying('Invalid Publish Subject'),
  unknownTopic: staying('Unknown Topic'),
  blockSpent: staying('Publishers Wait No Longer: policy block is now disconnect'),
} as const satisfies Record<string, ProtocolError>;

/** The topic has as much waiting as it may, and refuses more. */
export function topicFull(subject: string): ProtocolError {
  return staying(`Topic Full for "${subject}"`);
}

/** What a client asked for makes no sense; the text says why. */
export function invalidDeliveryOptions(why: string): ProtocolError {
  return staying(`Invalid Wish: ${byteText(why)}`);
}

export function publishDenied(subject: string): ProtocolError {
  return staying(`Permissions Violation for Publish to ${quoted(subject)}`);
}

/** @param queue the group's name, or '' */
export function subscriptionDenied(subject: string, queue: string): ProtocolError {
  const group = queue === '' ? '' : ` using queue ${quoted(queue)}`;
  return staying(`Permissions Violation for Subscription to ${quoted(subject)}${group}`);
}

/** As nats-server quotes what a client chose. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** The reply subject of a publish is one that only the broker gives out. */
export function reservedReply(reply: string): ProtocolError {
  return staying(`Permissions Violation for Publish with Reply of "${reply}"`);
}
