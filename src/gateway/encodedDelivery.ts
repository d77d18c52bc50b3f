import { chunkBytesLarge } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { Span } from '../base/span.js';
import type { DeliveryHead } from '../protocol/deliveryHead.js';

/** Room that is kept, in bytes. */
const keptBytes = 64 * 1024;

/** A delivery that is encoded once and copied to every subscription that is behind; the next takes its place. */
export class EncodedDelivery {
  span = new Span(new Uint8Array(keptBytes));
  /** Where it ends in `span`; it begins at 0. */
  end = 0;

  encode(head: DeliveryHead, message: MessageView, index: number, withHeaders: boolean): void {
    const lengthBytes = head.bytesMax(message, index);
    if (lengthBytes > this.span.bytes.length) this.span = new Span(new Uint8Array(lengthBytes));
    this.end = head.encode(this.span, 0, message, index, withHeaders);
  }

  /** The delivery is not needed any more: much room for it is not kept. */
  release(): void {
    if (this.span.bytes.length > chunkBytesLarge) this.span = new Span(new Uint8Array(keptBytes));
  }
}
