const headerBytesMax = 14;
const lengthBits = 0x7f;
const maskBit = 0x80;
const controlBit = 8;

/** Counts the frames that a WebSocket client sends (RFC 6455, section 5.2), in whatever stretches they come, without looking into them. */
export class FrameCounter {
  /** Frames, and those of them that control the connection, that have begun. */
  frames = 0;
  controls = 0;
  readonly #header = new Uint8Array(headerBytesMax);
  #headerBytes = 0;
  /** Bytes of the frame's content that have not come yet. */
  #contentBytes = 0;

  /** Takes the next bytes of the stream. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const skipped = Math.min(this.#contentBytes, bytes.length - at);
      this.#contentBytes -= skipped;
      at += skipped;
      if (at === bytes.length) return;
      this.#header[this.#headerBytes++] = bytes[at++];
      if (this.#headerBytes >= 2 && this.#headerBytes === this.#headerLength) this.#begin();
    }
  }

  get #headerLength(): number {
    const short = this.#header[1] & lengthBits;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    return 2 + extended + (this.#header[1] & maskBit ? 4 : 0);
  }

  #begin(): void {
    const short = this.#header[1] & lengthBits;
    this.#headerBytes = 0;
    this.#contentBytes = short;
    if (short >= 126) {
      this.#contentBytes = 0;
      const end = short === 126 ? 4 : 10;
      for (let i = 2; i < end; i++) this.#contentBytes = this.#contentBytes * 256 + this.#header[i];
    }
    this.frames++;
    if (this.#header[0] & controlBit) this.controls++;
  }
}
