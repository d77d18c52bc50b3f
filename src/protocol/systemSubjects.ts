// Subjects at which the broker tells of itself in its system account, and answers requests: those of nats-server.

const requests = '$SYS.REQ';

/** What a server is asked for, by the last token; with no token at all, as by `STATSZ`, who is there. */
export const serverRequests = [
  'STATSZ',
  'VARZ',
  'CONNZ',
  'SUBSZ',
  'ROUTEZ',
  'GATEWAYZ',
  'LEAFZ',
  'ACCOUNTZ',
  'JSZ',
  'HEALTHZ',
  'IDZ',
] as const;

/** What it is asked for about one account. */
export const accountRequests = ['CONNZ', 'SUBSZ', 'LEAFZ', 'JSZ', 'INFO', 'CONNS', 'STATZ'] as const;

/** Every subject, or pattern, at which a server of that id answers. */
export function systemRequestPatterns(id: string): string[] {
  const ofServer = ['PING', id].flatMap((who) => serverRequests.map((what) => `${requests}.SERVER.${who}.${what}`));
  const ofAccount = accountRequests.map((what) => `${requests}.ACCOUNT.*.${what}`);
  return [`${requests}.SERVER.PING`, ...ofServer, ...ofAccount];
}

/** A request to the system account, taken apart. */
export interface SystemRequest {
  readonly about: 'SERVER' | 'ACCOUNT';
  /** The account; or which server, be it all of them (`PING`). */
  readonly who: string;
  readonly what: string;
}

/** @param subject matches one of `systemRequestPatterns` */
export function readSystemRequest(subject: string): SystemRequest {
  const [, , about, who, what = 'STATSZ'] = subject.split('.');
  return { about: about as SystemRequest['about'], who: who as string, what };
}

/** What happens to clients, by what is behind the account's name, and to a server, by what is behind its id. */
export type AccountEvent = 'CONNECT' | 'DISCONNECT';
export type ServerEvent = 'STATSZ' | 'CLIENT.AUTH.ERR' | 'LAMEDUCK' | 'SHUTDOWN';

export function accountEventSubject(account: string, event: AccountEvent): string {
  return `$SYS.ACCOUNT.${account}.${event}`;
}

export function serverEventSubject(id: string, event: ServerEvent): string {
  return `$SYS.SERVER.${id}.${event}`;
}
