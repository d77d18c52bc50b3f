import { assert } from '../base/assert.js';
import { latin1String } from '../base/bytes.js';

// A text in its page:
//
//   0            4          6 or 10
//   | number u32 | length   | bytes
//
// The length is a u32 since a subject may have 64 KiB.
const lengthAt = 4;
const headBytes = lengthAt + 4;

const pageBytes = 128 * 1024;
const pageBytesMin = 256;

interface Page {
  bytes: Uint8Array;
  view: DataView;
  used: number;
  /** What is there of it. */
  live: number;
}

/**
 * The texts of subjects, one byte a character, in pages: outside of what is collected as garbage. What is left of a page of which more
 * than half is gone is moved.
 */
export class SubjectTexts {
  memoryBytes = 0;
  /** The last one is written to. */
  readonly #pages: (Page | null)[] = [];
  readonly #free: number[] = [];
  #open = -1;
  /** Where the texts of subjects lie, which is told when they move. */
  readonly #moved: (number: number, at: number) => void;

  constructor(moved: (number: number, at: number) => void) {
    this.#moved = moved;
  }

  /** Keeps a subject's text; returns where it lies. */
  add(number: number, text: Uint8Array): number {
    const at = this.#begin(number, text.length);
    this.#page(at).bytes.set(text, (at % pageBytes) + headBytes);
    return at;
  }

  #begin(number: number, length: number): number {
    const at = this.#make(headBytes + length);
    const { view } = this.#page(at);
    view.setUint32(at % pageBytes, number, true);
    view.setUint32((at % pageBytes) + lengthAt, length, true);
    return at;
  }

  /** Whether the text that lies there is `other[start, end)`. */
  repeats(at: number, other: Uint8Array, start: number, end: number): boolean {
    const { bytes, view } = this.#page(at);
    const offset = at % pageBytes;
    if (view.getUint32(offset + lengthAt, true) !== end - start) return false;
    const delta = offset + headBytes - start;
    for (let i = start; i < end; i++) if (bytes[delta + i] !== other[i]) return false;
    return true;
  }

  /** Reads from a text, so that it is near when it is compared. */
  touch(at: number): number {
    return this.#page(at).bytes[(at % pageBytes) + headBytes];
  }

  text(at: number): string {
    const bytes = this.bytes(at);
    return latin1String(bytes, 0, bytes.length);
  }

  /** A text's bytes, until something changes here. */
  bytes(at: number): Uint8Array {
    const { bytes, view } = this.#page(at);
    const start = (at % pageBytes) + headBytes;
    return bytes.subarray(start, start + view.getUint32(start - headBytes + lengthAt, true));
  }

  /** A text is not needed any more. */
  remove(at: number): void {
    const number = Math.floor(at / pageBytes);
    const page = this.#page(at);
    const offset = at % pageBytes;
    page.live -= roomAt(page, offset);
    page.view.setUint32(offset, gone, true);
    if (number !== this.#open && 2 * page.live < page.bytes.length) this.#empty(number);
  }

  #page(at: number): Page {
    const page = this.#pages[Math.floor(at / pageBytes)];
    assert(page !== null && page !== undefined, 'a text lies in a page');
    return page;
  }

  /** Makes room; returns where. */
  #make(bytes: number): number {
    let page = this.#pages[this.#open];
    if (page === null || page === undefined || page.used + bytes > pageBytes) page = this.#newPage();
    while (page.used + bytes > page.bytes.length) this.#grow(page);
    const at = this.#open * pageBytes + page.used;
    page.used += bytes;
    page.live += bytes;
    return at;
  }

  #newPage(): Page {
    const closed = this.#open;
    // a stream with few subjects takes little
    const page = pageOf(closed < 0 ? pageBytesMin : pageBytes);
    this.#open = this.#free.pop() ?? this.#pages.length;
    this.#pages[this.#open] = page;
    this.memoryBytes += page.bytes.length;
    return page;
  }

  #grow(page: Page): void {
    const bytes = new Uint8Array(2 * page.bytes.length);
    bytes.set(page.bytes);
    this.memoryBytes += bytes.length - page.bytes.length;
    page.bytes = bytes;
    page.view = new DataView(bytes.buffer);
  }

  /** Moves what is left of a page, and gives it back. */
  #empty(number: number): void {
    const page = this.#pages[number] as Page;
    for (let offset = 0; offset < page.used; offset += roomAt(page, offset)) {
      const subject = page.view.getUint32(offset, true);
      if (subject === gone) continue;
      const end = offset + roomAt(page, offset);
      const at = this.#make(end - offset);
      this.#page(at).bytes.set(page.bytes.subarray(offset, end), at % pageBytes);
      this.#moved(subject, at);
    }
    this.#pages[number] = null;
    this.#free.push(number);
    this.memoryBytes -= page.bytes.length;
  }
}

function pageOf(lengthBytes: number): Page {
  const bytes = new Uint8Array(lengthBytes);
  return { bytes, view: new DataView(bytes.buffer), used: 0, live: 0 };
}

/** The number of a subject that is not there any more. */
const gone = 0xffff_ffff;

/** What the text takes that begins at an offset. */
function roomAt(page: Page, offset: number): number {
  return headBytes + page.view.getUint32(offset + lengthAt, true);
}
