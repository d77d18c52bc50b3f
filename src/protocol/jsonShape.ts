import { jsonDepthMax, jsonMarksMax } from '../base/limits.js';

const quote = 0x22;
const backslash = 0x5c;
/** Shorter texts are not worth looking at, in characters. */
const unseenLengthMax = 4096;

/**
 * Whether a text has more structure than any command: its parts would take far more memory, and time, than its bytes. What stands in
 * strings does not count. For text that is no JSON the answer means nothing, but it is found as quickly.
 */
export function isUnwieldy(text: string): boolean {
  if (text.length <= unseenLengthMax) return false;
  let depth = 0;
  let marks = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case quote:
        i = stringEnd(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth++;
        marks++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
      case 0x3a: // :
        marks++;
        break;
    }
    if (depth > jsonDepthMax || marks > jsonMarksMax) return true;
  }
  return false;
}

/** Where the string ends that begins at `start`; the end of the text where it does not. */
function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === backslash) first--;
    if ((end - first) % 2 === 0) return end;
  }
  return text.length;
}
