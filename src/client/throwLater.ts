/** Lets an error of the user's code be uncaught, as an event emitter would, but not in the middle of our own work. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
