import koffi from 'koffi';

/**
 * What Node does not offer: sending on a descriptor without a queue behind it, so that one knows at once
 * how much the kernel took, and learning where a buffer lies. A send through `net.Socket` costs 1.5 µs more and keeps
 * the buffer for as long as the receiver likes (docs/decisions/0003). Elsewhere than on Linux the socket itself is used.
 */
const supported = process.platform === 'linux';
const libc = supported ? koffi.load(null) : null;

const dontWait = 0x40;
const noSignal = 0x4000;
const tcpLevel = 6;
const unsentLowWater = 25;

const nativeSend = libc?.func('int64_t send(int fd, uintptr_t bytes, size_t length, int flags)') ?? null;
const nativeSetOption =
  libc?.func('int setsockopt(int fd, int level, int name, const int *value, uint32_t length)') ?? null;
const nativeMove = libc?.func('uintptr_t memmove(void *target, const void *source, size_t length)') ?? null;

/** Where the bytes lie, or 0 where this cannot be known. The memory of a typed array off the heap never moves. */
export function addressOf(bytes: Uint8Array): number {
  return nativeMove === null ? 0 : (nativeMove(bytes, bytes, 0) as number);
}

export const canSendDirectly = supported;

/** Hands bytes to the kernel; returns how many it took, 0 when its buffer is full or the connection is broken. */
export function sendDirectly(descriptor: number, address: number, lengthBytes: number): number {
  const sent = nativeSend!(descriptor, address, lengthBytes, dontWait | noSignal) as number;
  return sent > 0 ? sent : 0;
}

/**
 * Bounds what the kernel takes beyond what it can send at once (`TCP_NOTSENT_LOWAT`), so that what is sent is newer than a full
 * socket buffer. Where that cannot be done the buffer stays as it is.
 */
export function limitUnsent(descriptor: number, lengthBytes: number): void {
  if (nativeSetOption !== null && descriptor >= 0)
    nativeSetOption(descriptor, tcpLevel, unsentLowWater, Int32Array.of(lengthBytes), 4);
}
