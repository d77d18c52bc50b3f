import { assert } from './assert.js';
import type { HoldBudget } from './heldTime.js';

/**
 * Every fixed limit of the broker, with its unit as the last word of the name. Limits that a user may set
 * (payload, pending bytes, connections, …) are options; what is here bounds the machinery itself.
 */

/** Threads that may meet in one exchange: one a shard. */
export const shardsMax = 256;

/** Smallest and largest ring that a lane may have, in bytes; powers of two. */
export const laneBytesMin = 4 * 1024;
export const laneBytesMax = 2 * 1024 * 1024;

/**
 * The largest that is chosen for a publish lane, and for a deliver lane between two of the broker's threads, which has to last for as long
 * as its reader is away: 15 to 30 ms of all that one shard puts out when threads share processors.
 */
export const publishLaneBytesMax = 1024 * 1024;
export const deliverLaneBytesMax = 2 * 1024 * 1024;

/** What all publish and deliver lanes of a broker may take together, in bytes. */
export const lanesTotalBytesMax = 256 * 1024 * 1024;

/** Size of every control lane, in bytes. Control records are few and small. */
export const controlLaneBytes = 64 * 1024;

/** What a shard keeps of what finds no room in the lane to a thread that is not the broker's own: messages, and their bytes. */
export const overflowMessagesMax = 16 * 1024;
export const overflowBytesMax = 4 * 1024 * 1024;

/** A socket is read into one buffer that all connections of a gateway share, in bytes. */
export const readBufferBytes = 256 * 1024;

/** What all sockets of a gateway together may be read before any of them has brought much, and the part of each at least, in bytes. */
export const firstReadsBytesMax = 16 * 1024 * 1024;
export const firstReadBytesMin = 16 * 1024;

/** What a thread does for its connections in a turn, and one of them, in units of `Work`: some 50 ns each. */
export const turnUnits = 100_000;
export const shareUnits = 40_000;

/**
 * Where somebody had little to do in one of the last turns, so much at most, a connection's share is a short one: a round trip waits for three turns of
 * its thread, and a longer share saves a flood some percent.
 */
export const shareUnitsShort = 10_000;
export const littleUnits = 64;
export const littleTurns = 16;

/**
 * Where crowds have something to be read at once, a turn may go on behind its end up to here with the least share for each; whoever comes then has
 * its socket read once, and does so much in it, in units of `Work`.
 */
export const crowdUnits = 120_000;
export const crowdShareUnits = 500;

/** While sockets are read, what comes from other threads is passed on after so much, and as much of it, in units of `Work`. */
export const glanceUnits = 15_000;

/** What a thread does in a turn to take away the subscriptions of connections that have ended, in units of `Work`. */
export const departureUnits = 10_000;

/** Connections that a turn begins which have been accepted. */
export const arrivalsPerTurn = 4;

/** Connections that a turn ends, and tells of a new INFO, after a reload. */
export const reviewEndsMax = 32;
export const announcedMax = 128;

/** Subscriptions that a connection may have to be rid of them at its end at once. */
export const departureSubscriptionsMax = 128;

/** What a thread takes of deliveries and of publishes from other threads in a turn, each, in units of `Work`. */
export const laneUnits = 30_000;

/** How often what a shard's own thread publishes may have the room for which lanes from other threads wait. */
export const passedOverMax = 2;

/** How much work a lane's writer may be ahead of its reader, in units of `Work`, where a lane's memory does not say less. */
export const reachUnits = 60_000;

/** What a thread does in a turn to plan topics that very many take, in units of `Work`, and how many it has under way at a time. */
export const planUnits = 20_000;
export const planningsOpenMax = 4;

/** How long publishers of such a topic wait at most until all other threads have planned it, in milliseconds. */
export const planAheadMaxMs = 2_000;

/** Nodes that are looked at, and entries, subscriptions and groups that are planned, without thinking of a slice. */
export const searchNodesAtOnce = 4_096;
export const thingsPlannedAtOnce = 2_048;

/** Of those in parts of which topics are planned that very many take: how many make a part, and for how many topics the parts are kept. */
export const thingsInPart = 1_024;
export const planningsKeptMax = 4;

/** What a shard says of its own accord in a turn, in units of `Work`. */
export const voiceUnits = 60_000;

/** What a connection may do in any case in a turn that is spent, and to finish what a read brought, in units of `Work`. */
export const shareUnitsMin = 10_000;

/** Room before the read buffer, where the beginning of a message that an earlier read left is put, in bytes. */
export const carryBytesMax = 64 * 1024;

/**
 * Memory in which a large operation is put together that comes in pieces, in bytes: room for one of a megabyte and its
 * control line.
 */
export const pageBlockBytes = 1024 * 1024 + 64 * 1024;

/** Buffers for large operations that come in pieces, kept for reuse by one gateway, in number and bytes. */
export const partialSparesMax = 16;
export const partialSpareBytesMax = 4 * 1024 * 1024;

/** A spare one makes room for another size when so many have been taken meanwhile, in number. */
export const partialSpareTakesMin = 64;

/** Longest control line that may be configured: it has to fit into the carry, with its operation's name, in bytes. */
const controlLineBytesMax = 63 * 1024;

/** What a JSON line may have beyond its payload and a control line: headers, in bytes. */
export const jsonSlackBytes = 16 * 1024;

/** How deep a line of JSON may be nested, and how many commas, colons and brackets it may have outside of strings. */
export const jsonDepthMax = 8;
export const jsonMarksMax = 16_384;

/** How many headers of a message are told to who reads JSON: to write one is a step that cannot be cut, and takes some 2 ms for so many. */
export const jsonHeadersMax = 32_768;

/** Headers of one block for which memory is kept that is used again, in number. */
export const headerLinesKeptMax = 4_096;

/** What a WebSocket message may have beyond twice the greatest payload: clients put several operations into one, in bytes. */
export const webSocketSlackBytes = 1024 * 1024;

/** What a WebSocket client may send before it has said who it is, in bytes. */
export const unauthenticatedBytesMax = 64 * 1024;

/** A WebSocket's input is taken apart in slices of so many bytes, of which each six may be a frame. */
export const frameSliceBytes = 8 * 1024;

/** Slices in which a handshake is looked at, in bytes: behind the first refusal nothing is. */
export const handshakeSliceBytes = 512;

/** Compressed input is taken apart in slices of so many bytes, each of which may become a thousand times as many. */
export const deflatedSliceBytes = 4 * 1024;

/** Answers that are kept of what somebody may publish to. */
export const permissionsKeptMax = 4_096;

/** Accounts that there can be, as records have room for. */
export const accountsMax = 65_536;

/** A subject's greatest length, in bytes; the control line bounds it already when it comes from a client. */
export const subjectBytesMax = 64 * 1024;

/** Messages that are passed on as one run. */
export const runMessagesMax = 256;

/** What requests take that are passed on as one run, with the rest of their subjects, in bytes. */
export const sharedRunBytesMax = 64 * 1024;

/** A longer message is no part of a mixed run: its own way costs it next to nothing. */
export const mixedPayloadBytesMax = 1000;

/** A mixed run grows no further than this, so that the work of its reader between two looks is bounded, in bytes. */
export const mixedRecordBytesMax = 16 * 1024;

/** Sets of gateways that a thread tells apart, so that what is for several of them is laid out once; a power of two. */
export const fanOutTargetsMax = 4096;

/** What a thread's kernel knows for mixed runs: plans of topics, in number and bytes, outputs, and lanes with a table of their own. */
export const kernelPlansMax = 32 * 1024;
export const kernelPlansBytesMax = 4 * 1024 * 1024;
export const kernelOutputsMax = 4096;
export const kernelLanesMax = 64;

/** Entries of the table by which it finds a topic's plan by its subject: eight of them share a line of memory. */
export const kernelKnownTopics = 64 * 1024;

/** A longer subject is looked up in JavaScript, in bytes. */
export const kernelSubjectBytesMax = 256;

/** Messages of known topics that are published at once: then it is looked whether more may be sequenced, and sent. */
export const knownMessagesMax = 1024;

/** A topic with more outputs than this, or a longer plan, goes the way through JavaScript, in outputs and bytes. */
export const kernelPlanOutputsMax = 64;
export const kernelPlanBytesMax = 16 * 1024;

/** Deliveries of one message from which on it costs most to send them: such a topic's runs are cut by that on every thread, and are none of the kernel's. */
export const crowdDeliveriesMin = 64;

/** Sizes of the chunks that messages are encoded into, in bytes; a larger message gets a chunk of its own. */
export const chunkBytesSmall = 4 * 1024;
export const chunkBytesMedium = 32 * 1024;
export const chunkBytesLarge = 256 * 1024;

/**
 * Memory of a thread in which the kernel works, in bytes: its read buffer and the chunks that are used first. Pages that were never
 * used take no room.
 */
export const kernelMemoryBytes = 32 * 1024 * 1024;

/** Chunks kept for reuse by one gateway, in bytes. */
export const chunkPoolBytesMax = 64 * 1024 * 1024;

/** From this length on what a message costs is its bytes, in bytes. */
export const longMessageBytes = 2 * 1024;

/**
 * What a turn sends before those that are left of a very long message's readers, and of those that read again, wait for a later one,
 * in bytes: to hand so much to sockets takes some milliseconds.
 */
export const turnSendBytes = 4 * 1024 * 1024;

/** A long message is copied for those that are behind up to so much, in bytes; beyond, all that wait share one: to fill new memory costs milliseconds a megabyte. */
export const copiedBytesMax = 512 * 1024;

/** What is written at once of what waits for one connection, when it takes more of it, in bytes. */
export const pendingWriteBytes = 1024 * 1024;

/** Open chunks of one gateway that force a flush before the end of the loop's turn, in bytes. */
export const openBytesMax = 512 * 1024;

/** A connection that takes nothing is waited for no longer than this until it does, in milliseconds. */
export const stopAllowanceMs = 300;

/** How often it is looked at whether those that are waited for take anything, in milliseconds. */
export const holdReviewMs = 10;

/** For how long publishers are held up for connections that lag, before some of what they have goes through, in milliseconds. */
export const holdSliceMs = 20;

/**
 * A topic, and a publisher, is held up for connections that lag no longer than this in any window of time: 3 s, less what it takes
 * those that were held up to be at full speed again.
 */
export const lagBudget: HoldBudget = { maxMs: 2_800, windowMs: 30_000 };

/** Of what a connection may have pending: above this part it lags, and below that it does so no longer. */
export const laggingRatio = 1 / 4;
export const caughtUpRatio = 3 / 16;
/** Bytes that a stream, such as a TLS socket, has of one connection beyond what it has written. */
export const streamTakenBytesMax = 64 * 1024;
/** A full connection is ready again at this part of what made it full. */
export const readyRatio = 1 / 4;

/** Where publishers never wait for one that lags, what comes for it is dropped above this part, as nats-server does it. */
export const skipRatio = 3 / 4;

/** The window of time for which the user says how long publishers may be held up by those that ask for it, in milliseconds. */
export const blockWindowMs = 60_000;

/** A thread of the user's that has held publishers up for so long without a break is warned of, in milliseconds. */
export const blockWarnMs = 2_000;

/** Topics whose publishers have been held up lately that a thread remembers. */
export const heldTopicsMax = 16_384;

/** How often those are forgotten that have not been for a while, in milliseconds. */
export const heldSweepMs = 5_000;

/** What a connection may ask for with `$SHARDCAST.SUB` at a time: sets of delivery options, and bytes of the names that they are for. */
export const deliveryOptionsPerConnectionMax = 1024;
export const deliveryOptionsNameBytesMax = 256 * 1024;

/** What leaves a backlog in one turn for one connection, in bytes. */
export const backlogDrainBytes = 64 * 1024;

/** What a connection that conflates may have unread, and after how much it is asked whether it has read it, in bytes. */
export const pacedBytesMax = 32 * 1024;
export const pacedPingBytes = 8 * 1024;

/** What the kernel may hold unsent for one that cannot be asked, in bytes. */
export const conflatedUnsentBytes = 4 * 1024;

/** Below this part of `--memory-max` nobody is ended any more, and publishers go on. */
export const memoryRelievedRatio = 0.9;

/** Who has taken nothing for this long, in milliseconds, and holds at least this part of `--memory-max`, is ended before all who read. */
export const memoryStalledMs = 100;
export const memoryStalledRatio = 1 / 1024;

/** What holds less is not ended to make room, in bytes; and how often a thread looks for what holds most, in milliseconds. */
export const memoryOwnerBytesMin = 4 * 1024;
export const memoryScanMs = 5;

/** Most messages that a member of a queue group may ask to have unacknowledged at a time. */
export const prefetchMessagesMax = 16_384;

/** A member that has so much unacknowledged gets no more, whatever its prefetch, in bytes. */
export const inFlightBytesMax = 8 * 1024 * 1024;

/** What may wait of a queue group on one shard for a member to have room before publishers wait, in messages and in bytes. */
export const waitingWorkMessagesMax = 16_384;
export const waitingWorkBytesMax = 8 * 1024 * 1024;

/** When so many times as much waits, members that have work in flight are refused, too: before that they do not wait for their own group. */
export const overworkedRatio = 4;

/** What a thread keeps for acknowledgement or for room: above it members have one message each, and publishers wait, in bytes. */
export const heldWorkBytesMax = 256 * 1024 * 1024;

/** How long a message with which a handler of this process has failed stays with it before another member gets it, in milliseconds. */
export const failurePauseMs = 500;

/** The most that is counted of how often a message has come back, so that it fits beside a record's flags. */
export const returnsMax = 0x7fff;

/** What may wait to become dead letters of one subscription whose policy drops messages; what more it loses is gone. */
export const deadLetterMessagesMax = 1024;
export const deadLetterBytesMax = 1024 * 1024;

/** How long a member of a group may keep a message without giving any sign, when it does not say: in milliseconds. */
export const ackWaitMsDefault = 30_000;

/** Longest time that it may ask for: a day. */
export const ackWaitMsMax = 86_400_000;

/** Longest time that a member may have a message held back with a `NACK`, in milliseconds: a day. */
export const nackDelayMsMax = 86_400_000;

/** What a shard hands out in one turn of what waits for groups, in messages, so that live messages go on meanwhile. */
export const workMovedPerTurn = 256;

/** How long what waits for a group without members is kept for one that comes, in milliseconds. */
export const workKeepMs = 10_000;

/** Messages that a durable subscription has unacknowledged at most, when it does not say, and that it may ask for. */
export const durablePrefetchDefault = 64;
export const durablePrefetchMax = 1000;

/** What it asks its consumer for at a time, in bytes; and how long such a request waits, in milliseconds. */
export const durablePullBytes = 8 * 1024 * 1024;
export const durablePullMs = 30_000;

/** How long a request waits that a gateway makes of a stream for a client, and after how long it asks again where something is in the way, in milliseconds. */
export const durableAnswerMs = 10_000;
export const durablePauseMs = 250;

/** Durable subscriptions that one connection may have. */
export const durablesPerConnectionMax = 1000;

/** Requests and acknowledgements that may wait on a thread for room on their way to streams: then clients wait. */
export const durableOutgoingMax = 1024;

/** A connection that has more than this unread asks for no more of a stream, in bytes. */
export const durableUnreadBytesMax = 256 * 1024;

/** Slots that a conflating backlog keeps for reuse, and the largest buffer that is kept with one, in bytes. */
export const spareSlotsMax = 1024;
export const spareSlotBytes = 4 * 1024;

/** Longest time that deliveries may be held back to be sent together, in microseconds. */
export const lingerUsMax = 1_000_000;

/** A subscription that loses more than this part of its messages within a window of time is worth a warning. */
export const lossWarnRatio = 0.01;

/** How often a gateway looks at its connections' clocks, in milliseconds. */
export const healthTickMs = 100;

/** How long after its start a thread loads what it sends with, where the first connection does not come to it, in milliseconds. */
export const sendingPauseMs = 100;

/** How long a connection that is being ended may take to read its last words, in milliseconds. */
export const closeLingerMs = 2_000;

/** Turns in vain after which a thread sleeps when others might have work for it any moment, at most: as many as cost about what it costs to be woken. */
export const spinTurnsMax = 20;

/** A sleep that is shorter would better have been spent on looking for work, in milliseconds. */
export const spinWorthMs = 0.06;

/** First size of the buffer in which an in-process publisher puts a message together, in bytes; it grows with what it holds. */
export const clientScratchBytes = 64 * 1024;

/** What may wait in one in-process endpoint for room in its topics, in bytes; more is refused. */
export const clientWaitingBytesMax = 64 * 1024 * 1024;

/** An in-process publisher that does not end its turn makes its messages visible after this much, in bytes. */
export const publishFlushBytes = 64 * 1024;

/** Messages that an in-process subscription keeps before its policy acts, when its options say nothing else. */
export const bufferMessagesDefault = 1024;

/** What one request of whoever reads a stream in process brings: messages, and bytes (but for one message that is larger). */
export const streamReadMessages = 256;
export const streamReadBytes = 1024 * 1024;

/** How long an in-process request waits for its answer, when its options say nothing else, in milliseconds. */
export const requestTimeoutMs = 10_000;

/** Topics that one thread remembers; the longest unused make room. */
export const topicsMax = 64 * 1024;

/** What their names may take, in bytes, and their plans, as a part of the thread's heap; the longest unused make room. */
export const topicNameBytesMax = 64 * 1024 * 1024;
export const planHeapPart = 1 / 8;

/** A topic that nobody used for this many sweeps is forgotten, and how often a step of a sweep comes, in milliseconds. */
export const topicIdleSweeps = 2;
export const topicSweepMs = 100;

/** Blocks of the memory that last values are kept in, in bytes. */
export const arenaBlockBytes = 256 * 1024;

/** Images that one gateway, and one connection of it, may have under way; who asks for one more waits. */
export const imagesMax = 32;
export const imagesPerConnectionMax = 4;

/** What a shard sends of images in one turn, in bytes, so that live messages go on meanwhile. */
export const imageTurnBytes = 64 * 1024;

/** What is sent of an image before its subscriber has to have taken it, in bytes and messages. */
export const imageWindowBytes = 256 * 1024;
export const imageWindowMessages = 2048;

/** How long the next of an image is held back for a subscriber that does not keep up, in milliseconds. */
export const imagePatienceMs = 1000;

/** How long it is held back while others wait for room, and how long in all an image is then, in milliseconds. */
export const imageGraceMs = 50;
export const imageHoldMs = 10_000;

/** Different passwords that one gateway has waiting to be compared with a hash. */
export const passwordsWaitingMax = 1024;

/**
 * How much longer than its timeout a login may take that waits for its password to be compared, in milliseconds: who is ended comes back,
 * and a flood that comes back every few seconds is newer than everybody else.
 */
export const loginWaitMs = 30_000;

/** Passwords that a process remembers to be right, and one gateway to be wrong. A reload may change which is right. */
export const rightPasswordsMax = 16;
export const wrongPasswordsMax = 1024;

/** How much less a thread that compares passwords counts than the others (`nice`), and after how long without any it ends, in milliseconds. */
export const passwordThreadNice = 5;
export const passwordThreadIdleMs = 10_000;

/** Niceness of the thread that checks what is on disk, how long it waits for the next file, and what it reads at most in a second. */
export const scrubThreadNice = 10;
export const scrubThreadIdleMs = 10_000;
export const scrubBytesPerSecond = 16 * 1024 * 1024;

/** How often it is looked at least whether there is something on disk to be checked, in milliseconds. */
export const scrubLookMs = 3_600_000;

/**
 * File descriptors that connections leave to the rest of the process: configuration, ports, what is sent to those refused. Of a process
 * that may have few, an eighth.
 */
export const descriptorsReserved = 16;

/** Clients that are one too many and have not gone yet, and how long each may take to read why, in milliseconds. */
export const refusedMax = 64;
export const refusedLingerMs = 1000;

/** Pause between two lines of the log about connections that could not be taken, in milliseconds. */
export const refusalLogMs = 10_000;

/** How long a shard may take to say that it is ready for another owner of a pattern, in milliseconds: a busy machine's turns, and less than the 5 s that clients wait for a stream. */
export const handoverWaitMs = 4000;

/** Memory in which records of a memory stream lie, the first block of a stream and those of a large one, in bytes. */
export const memoryBlockBytesMin = 4 * 1024;
export const memoryBlockBytes = 256 * 1024;

/** Files of a journal, and what a commit gathers of them before it takes no more, in bytes. */
export const journalFileBytes = 64 * 1024 * 1024;
export const journalCommitBytes = 1024 * 1024;

/** Blocks of a journal that are kept in memory: on their way to the disk, and the latest of those that are there. */
export const journalBlocksMax = 8;

/** Publishers wait while more than this of a journal is on its way to the disk, in bytes. */
export const journalBehindBytes = 4 * 1024 * 1024;

/** Everything in a journal begins at a multiple of this, as writes past the system's cache need it, in bytes. */
export const journalPageBytes = 4096;

/** Longest message of a memory stream, headers and payload, in bytes: as much as `--max-payload` may be. */
export const memoryMessageBytesMax = 64 * 1024 * 1024;

/** Longest entry of a journal, in bytes: a message with its subject and headers. */
export const journalEntryBytesMax = 8 * 1024 * 1024;

/** Where there are so many topics, subjects that concern nobody but a stream get none, unless they are longer than that, in bytes. */
export const loneTopicsMin = topicsMax / 4;
export const loneSubjectBytesMax = 1024;

/** Messages on subjects of their own that a stream takes at one go. */
export const togetherMessagesMax = 256;

/** A journal to which nothing came for so long says that its last block is on disk, in milliseconds. */
export const journalSealMs = 20;
/** The same for one that was written to when it was looked at last. */
export const journalBusySealMs = 100;

/** A flush that takes longer is told of at the start, in milliseconds. */
export const flushSlowMs = 5;

/** So many flushes are measured: the middle one counts. */
export const flushTries = 5;

/** Blocks of a buffered journal up to so long are copied to the system without another thread, in bytes. */
export const journalWriteNowBytes = 16 * 1024;

/** What takes such a block within so long takes the next one without another thread, too, in milliseconds. */
export const journalPromptMs = 5;

/** Longest interval in which a stream may have what it has taken brought to disk, in milliseconds. */
export const syncIntervalMaxMs = 3_600_000;

/** A new file of a journal is filled with zeros in steps of so many bytes, and of as few beside a small commit. */
export const journalFillBytes = 1024 * 1024;
export const journalFillBytesMin = 16 * 1024;

/** Records that a start takes together at most. */
export const recordRowsMax = 1024;

/** How far ahead of what is looked at a journal is read from its disk at a start, in bytes. */
export const journalAheadBytes = 4 * 1024 * 1024;

/** Files of a journal that nobody needs and that are kept to be its next ones. */
export const journalSpareFilesMax = 2;

/** A journal may have so many files beside twice what its streams keep before what is left in the first one is copied to its end. */
export const compactionSpareFiles = 2;

/** So much of it is copied in one turn, and what is left of one block, which is copied as a whole. */
export const compactionStepBytes = 256 * 1024;

/** How often a journal without space looks whether there is some, in milliseconds. */
export const journalSpaceMs = 1000;

/** Blocks of a journal that were read from its files and are kept in memory, and files that are kept open for that. */
export const readBlocksMax = 8;
export const readFilesMax = 16;

/** Blocks that are read before somebody wants them who reads on, beside those, and after how many other reads one is given up. */
export const aheadBlocksMax = 2;
export const aheadLoadsMax = 64;

/** Streams that one shard keeps on disk. */
export const durableStreamsMax = 64 * 1024;
/** Of what is written so that a start need not read journals as much is checked at a time, in bytes. */
export const snapshotPageBytes = 1024 * 1024;

/** A longer one is not read: the journal is. */
export const snapshotBytesMax = 2 * 1024 * 1024 * 1024;
/**
 * Whenever so much of a journal was written, in bytes, and so many times what it took the last time, what its streams are is written, so that
 * a start behind a kill reads only what follows; and after how many streams others have their turn.
 */
export const checkpointBytes = 1024 * 1024 * 1024;
export const checkpointRatio = 64;
export const checkpointStepStreams = 32;
/** Messages, or subjects, that a stream looks at or removes in one step, between which others have their turn. */
export const streamStepMessages = 256;

/** How long the long walks of a shard's streams go on in one turn, in milliseconds. */
export const sliceMs = 1;

/** Room for what a shard is to say for its streams, at least; how much of it may wait before who looks for more of it pauses, and before nothing more is put in order, in bytes. */
export const answerBytesMin = 16 * 1024;
export const answerPauseBytes = 1024 * 1024;
export const answerBytesMax = 8 * 1024 * 1024;

/** How much may wait for a shard's disk, of messages to be delivered and of answers each, before their publishers wait, in bytes. */
export const deferredBytesMax = 4 * 1024 * 1024;

/** How often streams look for what is too old, in milliseconds. */
export const streamTickMs = 250;

assert(laneBytesMin <= laneBytesMax, 'lane bounds are in order');
assert(
  (laneBytesMin & (laneBytesMin - 1)) === 0 && (laneBytesMax & (laneBytesMax - 1)) === 0,
  'lanes are powers of two',
);
assert(chunkBytesSmall < chunkBytesMedium && chunkBytesMedium < chunkBytesLarge, 'chunk sizes are in order');
assert(controlLineBytesMax + 16 < carryBytesMax, 'a control line that is not whole yet fits into the carry');

/** Where a stream's sequences may be told to begin, or to go on, at most: numbers are exact up to twice that, so that none comes twice. */
export const sequenceStartMax = 2 ** 52;

/** What a request to the stream API may say, in values, keys and escapes: it is read in one step, some 10 ms for so many. */
export const jsonPartsMax = 16_384;

/** How long a number in such a request may be written: what it takes to read one grows faster than its length. */
export const jsonDigitsMax = 1_000;

/** How long a request to `$SHARDCAST.SUB` may be, in characters: it names a subject, a group and a subscription, each as long as a control line at most. */
export const deliveryOptionsLengthMax = 32 * 1024;

/** Subjects of one stream. Each gets its owner on its own. */
export const streamSubjectsMax = 1_024;

/** Most deleted sequences that one answer of JetStream's API lists: for a stream that has more it is refused. */
export const deletedDetailsMax = 1_000_000;

/** An answer of JetStream's API that is longer is refused while `--stream-requests-memory` would wait to be said on one shard, in bytes. */
export const answerSmallBytes = 64 * 1024;

/** Messages that a consumer has in flight at most, whatever it allows: what it knows of them is to fit into one note of the journal. */
export const consumerInFlightMax = 150_000;
/** After how long a consumer that only delivers, and is told of nothing, notes how far it has come, in milliseconds: a crash forgets that much. */
export const consumerNoteMs = 100;

/** What a thread tells at a time of what it holds, for whoever watches the broker: rows, and how long it may take to put them together, in milliseconds. */
export const reportPageRows = 1_024;
export const reportPageMs = 1;

/** So much text of JSON about streams goes in a page, in characters. */
export const streamReportBytes = 32 * 1024;

/** Walks over what a shard holds that may be open at a time. */
export const walksOpenMax = 16;

/** Connections that have ended which all shards together remember while they are watched, and subscriptions that are kept of each. */
export const closedConnectionsMax = 10_000;
export const closedSubscriptionsKept = 32;

/** Connections to the monitoring port at a time, requests that wait for their turn, and what a request may be, in bytes. */
export const monitorConnectionsMax = 256;
export const monitorWaitingMax = 64;
export const monitorHeaderBytesMax = 8 * 1024;

/** How long a request to the monitoring port may take to come, a connection to it may say nothing, and an answer may not be read, in milliseconds. */
export const monitorRequestMs = 5_000;
export const monitorIdleMs = 30_000;
export const monitorStalledMs = 5_000;

/** How long an answer of the monitoring port may take from its turn to its end, in milliseconds: others wait for it. */
export const monitorAnswerMs = 60_000;

/** Subscriptions that the monitor holds at a time to tell of connections' own; one connection that has more is told of as they come. */
export const monitorSubscriptionsMax = 8 * 1024;

/** How long nothing more is logged of faults of one kind, in milliseconds. */
export const faultLogMs = 10_000;

/** How much of a client's name, and of who it says to be, is logged when its connection ends, in characters. */
export const loggedNameMax = 128;

/** Reads of a turn that are told apart when it is measured how long messages take, and how much work, in units, shares one look at the clock. */
export const latencyMarksMax = 512;
export const latencyUnits = 500;
/** The same as a part of what the turn has done, as a shift. */
export const latencyShift = 6;

/** Subjects of a thread that are counted by their names, how long these may be, and how many get another's place a sweep. */
export const countedTopicsMax = 256;
export const countedTopicNameMax = 256;
export const displacedTopicsMax = 16;

/** Messages of a turn that are each timed for their topics, of how many others one is, as a number and as a part of what the turn has had, as a shift, and how many are in all. */
export const exactSamples = 4;
export const sampleEvery = 64;
export const sampleShift = 3;
export const samplesMax = 256;
/** Behind a turn of more messages one of so many turns is timed. */
export const longTurnMessages = 2_048;
export const longTurnsEvery = 8;
/** How long a window lasts in which it is told how long messages of a topic take, in milliseconds: one to two of them are told. */
export const timesWindowMs = 30_000;

/** Subscribers of a thread that are counted by their names, and the subscriptions that they may have in all. */
export const countedSubscribersMax = 256;
export const countedSubscriptionsMax = 8 * 1024;
/** So many subscriptions that have ended wait, at most, for what they were delivered to be settled. */
export const countedEndedMax = 256;

/** When there are more consumers of streams than this, what waits for each is not part of the metrics. */
export const lagConsumersMax = 1_000;

/** Rows that an answer of the monitoring port sorts, and so how far its pages reach. */
export const monitorRowsMax = 100_000;

/** Events of the system account that wait to be told on a thread, requests to it that are under way, and how many of both are said in a turn. */
export const systemEventsMax = 4_096;
export const systemAnswersMax = 64;
/** And how many wait to be told that there are too many. */
export const systemRefusalsMax = 1_024;
export const systemSaidMax = 32;
/** How long the body of such a request may be, in bytes. */
export const systemRequestBytesMax = 64 * 1024;
/** How often a server tells how it is, while somebody listens, in milliseconds: as nats-server. */
export const statszEveryMs = 10_000;

/** Traces of messages under way: of one publisher, and of a thread with what they hold, in bytes. Who has more waits. */
export const tracesPerPublisherMax = 8;
export const tracesMax = 256;
export const traceHeldBytesMax = 8 * 1024 * 1024;
/** What a trace shows of a message's headers, in characters, and of a client's name. */
export const traceHeaderBytesMax = 64 * 1024;
export const traceNameMax = 256;
/** Deliveries of one thread that a trace names one by one, and events of a trace in all. */
export const traceDeliveriesMax = 512;
export const traceEventsMax = 4 * 1024;
/** What goes between threads of it at once, in bytes. */
export const traceTextBytesMax = 8 * 1024;
/** How long a trace waits for whoever was to say what became of its message, and then for room to be published, in milliseconds; and what a turn does to publish some, in units of `Work`. */
export const traceWaitMs = 3_000;
export const traceUnits = 10_000;

/** What the log shows of a line of the protocol, in characters, and of a payload, in bytes; and what waits on a thread for the log to take it: lines, and their characters. */
export const tracedLineMax = 16 * 1024;
export const tracedPayloadMax = 64 * 1024;
export const tracedLinesMax = 16 * 1024;
export const tracedLogCharactersMax = 4 * 1024 * 1024;
/** What the log keeps that its disk has refused, in bytes. */
export const logUnwrittenBytesMax = 4 * 1024 * 1024;

/** How often it is tried to write what a reader of standard output has not taken, and how long a process that ends waits for it to take the rest, in milliseconds. */
export const logRetryMs = 100;
export const logLastMs = 500;

/** Messages with spans under way on a thread, deliveries that one thread tells of each, and what is kept of it in all; what a publisher may say beside its own span, in characters. */
export const spansUnderWayMax = 256;
export const spanDeliveriesMax = 16;
export const spanEventsMax = 64;
export const traceStateMax = 512;
/** How much of a headers block is looked through for it, in bytes. */
export const contextWithinBytes = 4 * 1024;
/** Spans that wait on a thread until those before have been taken, and on the thread that exports them; so many go at once. */
export const spansWaitingMax = 256;
export const spansQueuedMax = 2_048;
export const spanBatchMax = 512;
/** How long a span may wait for others to go with it; how long an export may take, whatever it is told; and how long a stop waits for the last one, in milliseconds. */
export const spanDelayMs = 1_000;
export const spanExportMs = 30_000;
export const spanFlushMs = 1_000;
/** How often more spans are allowed, in milliseconds, where that is at least one. */
export const spanAllowEveryMs = 100;

/** Of a message in process the text is kept beside its bytes up to so many of them: what waits is bounded by what those are. */
export const keptTextBytesMax = 1024;

/**
 * A handler that takes longer, in milliseconds, is timed each time; of others every so manyth call at least, and of those that take less than
 * two looks at the clock are worth every so manyth.
 */
export const handlerExactMs = 0.05;
export const handlerCallsMax = 31;
export const handlerShortMs = 0.005;
export const handlerShortCallsMax = 255;
