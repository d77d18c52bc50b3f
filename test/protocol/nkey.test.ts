import { expect, test } from 'vitest';
import { encodeNkey, nkeyPrefix } from '../../src/protocol/nkey.js';

/** Reads base 32, five bits a letter. */
function bytesOf(text: string): Uint8Array {
  const bits = [...text]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

// Both from the INFO of a nats-server 2.15.1.
test.each([
  'XD2RELQLSHJ2ZAN3UNWUUCHG6DESOIAVBMSSAK2WXZ7PFD56SN2DMZCF',
  'XBQNS5TVHYGKDFHZZVDQHSDXRYK5IKACYVS4MPQB3XRSY6P5UVGA4UKJ',
])('a key is written as nats-server writes it: %s', (text) => {
  expect(encodeNkey(nkeyPrefix.curve, bytesOf(text).subarray(1, 33))).toBe(text);
});
