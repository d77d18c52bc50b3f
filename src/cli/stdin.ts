import { payloadTooLong } from './payloadLimit.js';

/**
 * Reads all of standard input as one payload.
 *
 * @throws CliError as soon as it is longer than `bytesMax`
 */
export async function readPayload(bytesMax: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytesMax) throw payloadTooLong(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads standard input as one payload a line, without the line ends and otherwise to the byte.
 *
 * @throws CliError when a line is longer than `bytesMax`
 */
export async function* readLines(bytesMax: number): AsyncGenerator<Uint8Array> {
  let rest: Buffer[] = [];
  let restLength = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      if (restLength + end - start > bytesMax) throw payloadTooLong(bytesMax);
      const tail = chunk.subarray(start, end);
      yield restLength === 0 ? tail : Buffer.concat([...rest, tail]);
      rest = [];
      restLength = 0;
      start = end + 1;
    }
    restLength += chunk.length - start;
    if (restLength > bytesMax) throw payloadTooLong(bytesMax);
    rest.push(chunk.subarray(start));
  }
  if (restLength > 0) yield Buffer.concat(rest);
}
