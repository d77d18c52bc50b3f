/** Where it is told what was asked of streams and consumers, and what the answers were. */
export const auditSubject = '$JS.EVENT.ADVISORY.API';

/** Requests of which nothing is told: there are too many, and they are the same again and again. */
const quiet = /^\$JS\.(?:[^.]+\.)?API\.(?:CONSUMER\.MSG\.NEXT|DIRECT)\./;
const asked = /^\$JS\.(?:[^.]+\.)?API\./;

/** Whether it is told what was asked at an endpoint with this pattern. */
export function isAudited(pattern: string): boolean {
  return asked.test(pattern) && !quiet.test(pattern);
}

/** Who asks, as nats-server describes clients; what is missing is not known. The shard that answers adds what holds of all. */
export interface ApiCaller {
  /** When it came, as RFC 3339 has times. */
  readonly start: string;
  readonly host?: string | undefined;
  readonly id?: number | undefined;
  readonly acc: string;
  readonly user?: string | undefined;
  readonly name?: string | undefined;
  readonly lang?: string | undefined;
  readonly ver?: string | undefined;
  /** In nanoseconds. */
  readonly rtt?: number | undefined;
  /** By which door: nats-server's name of it, where that has the door. */
  readonly client_type: 'nats' | 'websocket' | 'jsonl' | 'inprocess';
}
