/**
 * What the plain subscriptions of one endpoint want of a subject: nothing, every message, or messages of which all of them
 * can do without some when their thread does not get round to taking them.
 */
export const demand = { none: 0, all: 1, some: 2 } as const;

export type Demand = (typeof demand)[keyof typeof demand];
