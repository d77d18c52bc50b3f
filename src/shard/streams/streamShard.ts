import { byteText, latin1Bytes } from '../../base/bytes.js';
import { Router } from '../../router/router.js';

/** The shard that a stream lives on, of so many. */
export function shardOfStream(name: string, shards: number): number {
  return Router.ownerOf(latin1Bytes(byteText(name)), shards);
}
