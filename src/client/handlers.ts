import type { Message } from './message.js';

/** Takes messages one after the other; when it returns a promise the next message waits for it. */
export type Handler<T> = (message: Message<T>) => unknown;

/** Told what a handler threw or rejected with. */
export type OnError<T> = (error: unknown, message: Message<T>) => void;

/** Told of losses: how many messages since the last time, and in all. */
export type OnDrop = (dropped: number, total: number) => void;
