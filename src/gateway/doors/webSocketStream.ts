import { Duplex } from 'node:stream';

/** Where a stream's writer wants its bytes, and what else it does. */
export interface StreamOwner {
  onWrite(bytes: Buffer): void;
  /** The reader has taken what was pushed, and would take more. */
  onWanted(): void;
  /** What was asked for was refused: nothing more is read. */
  onRefused(): void;
  /** Nothing more will be written. */
  onFinished(): void;
  onDestroyed(reason: string): void;
}

/**
 * What `http` and `ws` take for a client's socket. They never see the real one, so that nothing they write can come between
 * what the egress sends on the descriptor.
 */
export class WebSocketStream extends Duplex {
  readonly owner: StreamOwner;

  constructor(owner: StreamOwner) {
    super({ allowHalfOpen: true });
    this.owner = owner;
  }

  override _read(): void {
    this.owner.onWanted();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.owner.onWrite(chunk);
    done();
  }

  /** What is written as one, such as a frame and its header, stays so. */
  override _writev(chunks: readonly { chunk: Buffer }[], done: () => void): void {
    this.owner.onWrite(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: () => void): void {
    this.owner.onFinished();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.owner.onDestroyed(error?.message ?? 'WebSocket closed');
    done(null);
  }
}
