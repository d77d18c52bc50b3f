/** Bytes of the wire by name. */
export const tab = 9;
export const lf = 10;
export const cr = 13;
export const space = 32;
export const dollar = 36;
export const plus = 43;
export const minus = 45;
export const dot = 46;
export const zero = 48;
export const nine = 57;
export const star = 42;
export const greater = 62;
export const underscore = 95;
export const del = 127;
