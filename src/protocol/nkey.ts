/** What an nkey is of, as the byte it begins with: its five high bits are the first letter. */
export const nkeyPrefix = { curve: 23 << 3 } as const;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Writes a public key as NATS does: prefix, key and checksum, in base 32 without padding. */
export function encodeNkey(prefix: number, key: Uint8Array): string {
  const bytes = Uint8Array.of(prefix, ...key);
  const checksum = crc16(bytes);
  return base32(Uint8Array.of(...bytes, checksum & 0xff, checksum >> 8));
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + alphabet[(held << (5 - bits)) & 31];
}
