/** What a walk over many messages does: in steps, between which others have their turn. What it yields it waits for; that never rejects. */
export type Steps<T = void> = Generator<void | Promise<void>, T>;
