import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { ExchangeTopic, RouterRole } from '../roles.js';
import { controlExtra, controlSubject, controlValue, writeControl } from './control.js';
import { accountOf, recordKind } from './kinds.js';

/*
 * A shard answers at an endpoint, or does not any more, in a control record: value = 1 or 0, extra = the token that names what a request is
 * about; the endpoint's pattern, of its account.
 */
export function writeService(
  lane: LaneWriter,
  pattern: string,
  nameToken: number,
  open: boolean,
  account: number,
): void {
  writeControl(lane, recordKind.service, open ? 1 : 0, pattern, '', nameToken, account);
}

/** Applies the record found last. */
export function readService<T extends ExchangeTopic>(lane: LaneReader, shard: number, router: RouterRole<T>): void {
  router.onService(shard, controlSubject(lane), controlExtra(lane), controlValue(lane) === 1, accountOf(lane));
}
