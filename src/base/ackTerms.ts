import { ackWaitMsDefault } from './limits.js';

/** What a member of a group that acknowledges has asked for beside its prefetch. */
export interface AckTerms {
  /** How long it may keep a message without any sign. */
  readonly ackWaitMs: number;
  /** How often a message may be handed out before nobody gets it again; 0 for no limit. */
  readonly maxDeliver: number;
  /** The subject that gets what nobody is to have again, one character a byte; '' for none. */
  readonly deadLetter: string;
}

export const defaultTerms: AckTerms = { ackWaitMs: ackWaitMsDefault, maxDeliver: 0, deadLetter: '' };
