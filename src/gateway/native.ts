import { whenBound } from '../base/nativeFunction.js';

/**
 * What Node does not offer: sending on a descriptor without a queue behind it, so that one knows at once
 * how much the kernel took, and learning where a buffer lies. A send through `net.Socket` costs 1.5 µs more and keeps
 * the buffer for as long as the receiver likes (docs/decisions/0003). Elsewhere than on Linux the socket itself is used.
 */
export const canSendDirectly = process.platform === 'linux';

const dontWait = 0x40;
const noSignal = 0x4000;
const tcpLevel = 6;
const unsentLowWater = 25;

const send = whenBound('int64_t send(int fd, uintptr_t bytes, size_t length, int flags)');
const setOption = whenBound('int setsockopt(int fd, int level, int name, const int *value, uint32_t length)');
const move = whenBound('uintptr_t memmove(void *target, const void *source, size_t length)');

/** Binds what every connection needs, so that the first one does not wait for it. */
export function prepareSending(): void {
  if (!canSendDirectly) return;
  send();
  move();
}

/** Where the bytes lie, or 0 where this cannot be known. The memory of a typed array off the heap never moves. */
export function addressOf(bytes: Uint8Array): number {
  return canSendDirectly ? (move()(bytes, bytes, 0) as number) : 0;
}

/** Hands bytes to the kernel; returns how many it took, 0 when its buffer is full or the connection is broken. */
export function sendDirectly(descriptor: number, address: number, lengthBytes: number): number {
  const sent = send()(descriptor, address, lengthBytes, dontWait | noSignal) as number;
  return sent > 0 ? sent : 0;
}

const pageBytes = 4096;
const notNeeded = 4;
const advise = whenBound('int madvise(uintptr_t bytes, size_t length, int advice)');

/** Gives back to the machine what whole pages of the first so many bytes take; what they held is lost. */
export function releasePages(bytes: Uint8Array, lengthBytes: number): void {
  const address = addressOf(bytes);
  const first = Math.ceil(address / pageBytes) * pageBytes;
  const end = Math.floor((address + lengthBytes) / pageBytes) * pageBytes;
  if (end > first) advise()(first, end - first, notNeeded);
}

/**
 * Bounds what the kernel takes beyond what it can send at once (`TCP_NOTSENT_LOWAT`), so that what is sent is newer than a full
 * socket buffer. Where that cannot be done the buffer stays as it is.
 */
export function limitUnsent(descriptor: number, lengthBytes: number): void {
  if (!canSendDirectly || descriptor < 0) return;
  setOption()(descriptor, tcpLevel, unsentLowWater, Int32Array.of(lengthBytes), 4);
}

const duplicate = whenBound('int dup(int descriptor)');

/** A second descriptor of the same file, or -1 where the process may have no more. */
export function duplicateDescriptor(descriptor: number): number {
  return duplicate()(descriptor) as number;
}

const makePipe = whenBound('int pipe2(int *descriptors, int flags)');
const nonBlocking = 0o4000;
const closedOnExec = 0o2000000;

/** The reading and the writing end of a new pipe; null where there is none to be had. */
export function createPipe(): readonly [number, number] | null {
  if (process.platform !== 'linux') return null;
  const ends = new Int32Array(2);
  return makePipe()(ends, nonBlocking | closedOnExec) === 0 ? [ends[0], ends[1]] : null;
}

const getLimit = whenBound('int getrlimit(int resource, void *limits)');
const openFiles = process.platform === 'darwin' ? 8 : 7;

/** How many descriptors the process may have. */
export function descriptorsMax(): number {
  const limits = new BigUint64Array(2);
  return getLimit()(openFiles, limits) === 0 ? Number(limits[0]) : Number.MAX_SAFE_INTEGER;
}
