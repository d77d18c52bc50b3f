/** Places in `Shown.numbers`, in the order of an acknowledgement's subject; the time is one number there, of nanoseconds. */
export const ackDelivered = 0;
export const ackStreamSequence = 1;
export const ackConsumerSequence = 2;
export const ackSeconds = 3;
export const ackNanoseconds = 4;
export const ackPending = 5;
export const ackNumberCount = 6;
