/*
 * Where things lie in the kernel's memory that `encodeMixed` (src/base/kernel.wat) works with, in bytes.
 *
 * An output: where the next delivery goes, and where its chunk ends; a limit of 0 has the kernel stop. Messages, and bytes of their payloads, are those
 * that were not counted yet.
 *
 *     0        4       8          12      16
 *     | cursor | limit | messages | bytes |
 *
 * A table, one a lane, leads from the lane's number of a topic to its plan; numbers that are the same modulo its size share an entry:
 *
 *     0            4      8
 *     | number + 1 | plan |
 *
 * A plan, and a part of it for each output; it holds while its generation is the kernel's and the version is what stands at `version at`:
 *
 *     0            4            8         12         16       20      24         28              32        36     40     44      48       52  56          60
 *     | generation | version at | version | messages | number | parts | parts at | subject bytes | becomes | laid | slot | block | target |   | published | subject | part ... |
 *
 *     0        4       8            12            16
 *     | output | heads | fixed bytes | part's bytes | line ... |           line: | bytes | `MSG <subject> <sid> ` ... |, a multiple of 4
 *
 * `becomes` says what becomes of a message that is published: nothing that the kernel may do by itself (0); it is put in order here, so that it is delivered by the
 * plan and laid out in a block for other gateways (1); it is laid out in a block for the shard that puts it in order (2). Where there is a `block`, messages stand in it under
 * the topic's `slot`, for those that the `target` stands for. `laid` is not 0 when some were laid out for a shard; `published` are
 * those of the plan's messages that were put in order here.
 *
 * `fixed bytes` are the lines' own, room for a size and CR LF behind each line and each message, and for what a copy overruns.
 *
 * The state; the lists are of outputs (their addresses) and plans (their numbers) that have messages which were not counted yet:
 *
 *     0            4         8               12      16            20     24         28     32          40     44         48     52
 *     | deliveries | outputs | outputs' list | plans | plans' list | left | stuck at | size | size text | laid | payloads | last |
 *
 * `laid` counts messages that were laid out for shards. `payloads` are the bytes of those that were published, `last` is the plan of the last of them. `stuck at` is the plan of the message at which publishing stopped, 0 where it is not known, and `size` the message's.
 *
 * Known topics are found by a hash of their subjects, with a seed: of `sets` of eight entries, which begin at `entries`, it leads to one.
 *
 *     0      8         12         16                  20                  24
 *     | seed | entries | sets - 1 | payload bytes max | subject bytes max |        entry: | hash | plan |
 */
export const outputBytes = 16;
export const entryBytes = 8;
export const planHeaderBytes = 60;
export const partHeaderBytes = 16;
export const stateBytes = 52;
export const knownHeaderBytes = 24;
export const knownSetEntries = 8;

/** Words of each. */
export const output = { cursor: 0, limit: 1, messages: 2, bytes: 3 } as const;
export const plan = {
  generation: 0,
  versionAt: 1,
  version: 2,
  messages: 3,
  number: 4,
  parts: 5,
  partsAt: 6,
  subjectBytes: 7,
  becomes: 8,
  laid: 9,
  slot: 10,
  block: 11,
  target: 12,
  published: 14,
} as const;
export const becomes = { unknown: 0, delivered: 1, forwarded: 2 } as const;
export const part = { output: 0, heads: 1, fixedBytes: 2, partBytes: 3 } as const;
export const state = {
  deliveries: 0,
  outputs: 1,
  outputsList: 2,
  plans: 3,
  plansList: 4,
  left: 5,
  stuckAt: 6,
  size: 7,
  laid: 10,
  payloads: 11,
  last: 12,
} as const;
export const known = { seed: 0, entries: 2, setMask: 3, payloadBytesMax: 4, subjectBytesMax: 5 } as const;

/** Room for a size of three digits or four, CR LF behind it, and CR LF behind the message. */
export const headRoomBytes = 16;
