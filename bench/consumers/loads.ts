/** What is done with the messages of a stream. */
export interface Load {
  readonly name: string;
  /** How many messages a request asks for; 0 where the server delivers of its own accord. */
  readonly batch: number;
  /** Connections; they share a consumer, or have one each where messages are published meanwhile. */
  readonly workers: number;
  /** Whether each message is acknowledged, and whether that is confirmed. */
  readonly acks: 'none' | 'ordered' | 'explicit' | 'confirmed';
  /** Whether the messages are published while they are read. */
  readonly isPublished: boolean;
  /** For how many messages of `--messages` one of these stands: work costs more. */
  readonly share: number;
}

const read = { workers: 1, acks: 'none', share: 1, isPublished: false } as const;
const work = { workers: 4, batch: 100, share: 5, isPublished: false } as const;

export const loads: readonly Load[] = [
  { ...read, name: 'ordered', batch: 500, acks: 'ordered' },
  { ...read, name: 'pulls of 500', batch: 500 },
  { ...read, name: 'pulls of 5,000', batch: 5000 },
  { ...read, name: 'push with flow control', batch: 0 },
  { ...work, name: 'work, explicit acknowledgements', acks: 'explicit' },
  { ...work, name: 'work, confirmed acknowledgements', acks: 'confirmed' },
  { ...read, name: 'two read what is published', batch: 500, workers: 2, isPublished: true, share: 4 },
];
