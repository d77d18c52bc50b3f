/** A publish as it goes on the wire, and where its payload starts in it (bytes). */
export interface EncodedPublish {
  readonly bytes: Buffer;
  readonly payloadOffset: number;
}

/** The fixed layout of every delivery of a run: all subjects and payloads have one length. */
export interface DeliveryLayout {
  readonly messageBytes: number;
  readonly payloadOffset: number;
  /** First byte of a delivery, unlike the first byte of anything else the server sends a subscriber. */
  readonly firstByte: number;
}

/** What one control line from the server asks for. */
export type ControlAction =
  | { readonly kind: 'none' }
  | { readonly kind: 'reply'; readonly bytes: Buffer }
  | { readonly kind: 'error'; readonly text: string };

/** What a handshake's bytes so far amount to. */
export type HandshakeState = 'more' | 'ready' | { readonly error: string };

/** The part of a messaging protocol a load generator needs; pure functions of bytes. */
export interface Codec {
  readonly name: string;
  /** The subject of topic number `topic`; the same length for every topic. */
  subject(topic: number): string;
  /** The pattern that matches every subject. */
  readonly wildcard: string;
  /** Everything a client sends at first, subscriptions included, ending in a ping. */
  handshake(subjects: readonly string[]): Buffer;
  /** Whether `received`, everything the server has sent so far, completes the handshake. */
  handshakeState(received: Buffer): HandshakeState;
  publish(subject: string, payload: Buffer): EncodedPublish;
  /** How a message of `payloadBytes` arrives at a subscriber with these subscriptions. */
  delivery(subjects: readonly string[], subjectBytes: number, payloadBytes: number): DeliveryLayout;
  /** Judges one line (without CR LF) that is not a delivery. */
  control(line: string): ControlAction;
}

export const noAction: ControlAction = { kind: 'none' };
