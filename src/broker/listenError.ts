import { BrokerError } from '../client/errors.js';

/** What the system says when it will not let us listen, in words. */
const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken',
  EACCES: 'not permitted',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up',
};

/** The broker cannot listen where it was told to. `code` is the system's own (`EADDRINUSE`, `EACCES`, …), `cause` its error. */
export class ListenError extends BrokerError {
  override readonly name = 'ListenError';
  readonly host: string;
  readonly port: number;

  /** @internal */
  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    const { code = 'LISTEN_FAILED', message } = cause;
    super(code, `cannot listen on ${host}:${port}: ${reasons[code] ?? message} (${code})`, { cause });
    this.host = host;
    this.port = port;
  }
}
