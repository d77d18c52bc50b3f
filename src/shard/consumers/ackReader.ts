import { latin1Bytes } from '../../base/bytes.js';
import { kernelAddress, kernelOrOwnBytes, kernelReadAcks } from '../../base/kernel.js';
import { runMessagesMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { dot, zero } from '../../protocol/ascii.js';
import type { Topic } from '../../router/topic.js';
import { bodyStart } from '../requestParts.js';

/** The numbers of an acknowledgement's subject, and which of them count. */
const numbersEach = 5;
const sequenceNumber = 1;
const deliveryNumber = 2;
const tableBytes = 16 * runMessagesMax;

/** Reads acknowledgements as most are: each says that a message is done, and nothing else. */
export class AckReader {
  /** Of each acknowledgement of the run that was read last, a sequence of the stream and one of the consumer's deliveries, one behind the other. */
  readonly acks: Float64Array;
  /** Where that lies in the kernel's memory; -1 where there is none left of it. */
  readonly #address: number;
  readonly #numbers = new Float64Array(numbersEach);

  constructor() {
    const bytes = kernelOrOwnBytes(tableBytes);
    this.#address = kernelAddress(bytes);
    this.acks = new Float64Array(bytes.buffer, bytes.byteOffset, 2 * runMessagesMax);
  }

  /** Reads those of a run from one on; returns the first that says anything else, or its count. */
  read(topic: Pick<Topic, 'kind' | 'text'>, requests: MessageView, from: number): number {
    if (topic.kind !== 'shared') return from;
    const { count, span, positionsAddress } = requests;
    let end = from;
    if (from === 0 && this.#address >= 0 && span.address >= 0 && positionsAddress >= 0)
      end = kernelReadAcks(requests, this.#address);
    while (end < count && this.#readOne(topic, requests, end)) end++;
    return end;
  }

  #readOne(topic: Pick<Topic, 'kind' | 'text'>, requests: MessageView, index: number): boolean {
    const start = bodyStart(topic, requests, index);
    if (!saysDone(requests.bytes, start, requests.ends[index])) return false;
    const numbers = this.#numbers;
    if (!readNumbers(requests.bytes, requests.payloadStart(index), start - 1, numbers)) return false;
    this.acks[2 * index] = numbers[sequenceNumber];
    this.acks[2 * index + 1] = numbers[deliveryNumber];
    return true;
  }
}

const ackWord = latin1Bytes('+ACK');
const okWord = latin1Bytes('+OK');

/** Whether an acknowledgement says that a message is done, and no more. */
function saysDone(bytes: Uint8Array, start: number, end: number): boolean {
  return end === start || equalAt(bytes, start, end, ackWord) || equalAt(bytes, start, end, okWord);
}

function equalAt(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false;
  return true;
}

/** Reads numbers that stand between dots, 0 for what is none. Returns false when there are not as many as there is room for. */
function readNumbers(bytes: Uint8Array, start: number, end: number, into: Float64Array): boolean {
  let at = start;
  let i = 0;
  for (; i < into.length && at < end; i++, at++) {
    let number = 0;
    for (; at < end && bytes[at] !== dot; at++) {
      const digit = bytes[at] - zero;
      number = digit >= 0 && digit <= 9 ? number * 10 + digit : Number.NaN;
    }
    into[i] = number <= Number.MAX_SAFE_INTEGER ? number : 0;
  }
  return i === into.length && at > end;
}
