/** What a service of the tests answers. */
export interface Answer {
  readonly shard: number;
  /** Requests that the shard has answered. */
  readonly number: number;
  /** What was asked, without the domain. */
  readonly subject: string;
  readonly asked: string;
}

/** The domain by which the services may be asked, too. */
export const domain = 'hub';
