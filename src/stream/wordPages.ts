const pageWordsMin = 256;
const pageWordsMax = 8 * 1024;
const wordBytes = 4;

class WordPage {
  readonly words: Uint32Array;
  /** Behind it nothing was taken yet. */
  end = 0;
  live = 0;
  readonly rooms: WordRoom[] = [];

  constructor(length: number) {
    this.words = new Uint32Array(length);
  }

  /** A room begins at `end`. */
  add(room: WordRoom): void {
    room.start = this.end;
    room.place = this.rooms.push(room) - 1;
    this.end += room.length;
    this.live += room.length;
  }
}

/** Words in a page; those who read them ask anew each time where they are. They never change once they are laid. */
export class WordRoom {
  page: WordPage;
  start = 0;
  readonly length: number;
  /** Among those of its page. */
  place = 0;

  constructor(page: WordPage, length: number) {
    this.page = page;
    this.length = length;
  }

  get words(): Uint32Array {
    return this.page.words;
  }
}

/**
 * Rooms of some words each, many to a page: an array of its own would take some hundred bytes more. Of a page of which more than half was
 * given back, what is left is moved.
 */
export class WordPages {
  memoryBytes = 0;
  #open: WordPage | null = null;

  /** A room for so many words, which are zero. */
  take(length: number): WordRoom {
    const room = new WordRoom(this.#pageFor(length), length);
    room.page.add(room);
    return room;
  }

  /** A room is not needed any more; who still has it can read it. */
  give(room: WordRoom): void {
    const { page } = room;
    const last = page.rooms.pop() as WordRoom;
    if (last !== room) {
      page.rooms[room.place] = last;
      last.place = room.place;
    }
    page.live -= room.length;
    if (page.live === 0) this.#drop(page);
    else if (page !== this.#open && 2 * page.live < page.words.length) this.#move(page);
  }

  #pageFor(length: number): WordPage {
    const open = this.#open;
    if (open !== null && open.end + length <= open.words.length) return open;
    // as large as all others together, so that few words take little
    const aim = Math.min(pageWordsMax, Math.max(pageWordsMin, this.memoryBytes / wordBytes));
    const page = new WordPage(Math.max(length, aim));
    this.memoryBytes += page.words.byteLength;
    this.#open = page;
    return page;
  }

  #move(page: WordPage): void {
    for (const room of page.rooms) {
      const { words, start, length } = room;
      room.page = this.#pageFor(length);
      room.page.add(room);
      room.words.set(words.subarray(start, start + length), room.start);
    }
    this.#drop(page);
  }

  #drop(page: WordPage): void {
    this.memoryBytes -= page.words.byteLength;
    if (page === this.#open) this.#open = null;
  }
}
