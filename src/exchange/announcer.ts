import type { Demand } from '../base/demand.js';
import type { Fullness } from '../base/fullness.js';
import type { ControlWriter } from './controlLane.js';
import type { HandoverStep } from './roles.js';

/** An endpoint that can be told something. */
interface AnnouncedTo {
  readonly controlOut: ControlWriter;
  /** Whether its thread is not the broker's own. */
  readonly user: boolean;
}

/** What one endpoint tells all others, in their control lanes. It can be seen at the end of the turn, before anything that follows from it. */
export class Announcer {
  /** Whom there is to tell; kept by `Exchange`. */
  peers: readonly AnnouncedTo[] = [];

  announcePlain(subject: string, wanted: Demand, crowd: number, account: number): void {
    for (const peer of this.peers) peer.controlOut.plainInterest(subject, wanted, crowd, account);
  }

  announceInbox(subject: string, account: number): void {
    for (const peer of this.peers) peer.controlOut.inbox(subject, account);
  }

  announceQueue(subject: string, queue: string, members: number, room: number, account: number): void {
    for (const peer of this.peers) peer.controlOut.queueInterest(subject, queue, members, room, account);
  }

  announceFull(subject: string, state: Fullness): void {
    for (const peer of this.peers) peer.controlOut.topicFull(subject, state);
  }

  announceLagging(subject: string, lags: boolean): void {
    for (const peer of this.peers) peer.controlOut.lagging(subject, lags);
  }

  announceService(pattern: string, nameToken: number, open: boolean, account: number): void {
    for (const peer of this.peers) peer.controlOut.service(pattern, nameToken, open, account);
  }

  /** To the broker's own threads: only clients of these are waited for within a budget. */
  announceHoldSpent(subject: string): void {
    for (const peer of this.peers) if (!peer.user) peer.controlOut.holdSpent(subject);
  }

  /** To the broker's own threads: only their shards have work of groups. */
  announceGroupSpent(queue: string, spent: boolean): void {
    for (const peer of this.peers) if (!peer.user) peer.controlOut.groupSpent(queue, spent);
  }

  /** To the broker's own threads: others plan what they take where they find it. Returns how many there are. */
  announcePlanAsked(number: number, subject: string, account: number): number {
    let told = 0;
    for (const peer of this.peers) {
      if (peer.user) continue;
      peer.controlOut.planAsked(number, subject, account);
      told++;
    }
    return told;
  }

  announceHandover(step: HandoverStep, number: number, pattern: string, owner: number): void {
    for (const peer of this.peers) peer.controlOut.handover(step, number, pattern, owner);
  }
}
