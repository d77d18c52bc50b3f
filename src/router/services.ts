import { mainAccount, systemAccount } from '../base/account.js';
import { assert } from '../base/assert.js';
import { latin1Bytes } from '../base/bytes.js';
import { hashBytes, hashSeedStable, mixHash } from '../base/hash.js';
import { type Place, placeOf, type Span, spanEqualAt } from '../base/span.js';
import { cost } from '../base/work.js';
import { isAudited } from '../protocol/apiAudit.js';
import { dot } from '../protocol/ascii.js';
import { askSubject, isWildcardSubject, userInfoSubject } from '../protocol/subject.js';
import { workReplyPattern } from '../protocol/workReply.js';
import { SubjectTree } from './subjectTree.js';

/** Subjects at which the broker itself answers requests. Those of two endpoints do not overlap. */
export interface Endpoint {
  /** Whose subjects these are: the main account's when missing. */
  readonly account?: number;
  /** Begins with `$`, by which it is told that a subject is no endpoint's. */
  readonly pattern: string;
  /** Which token of a request's subject names what it is about, whose shard answers; `noName` for what shard 0 answers. */
  readonly nameToken: number;
}

export const noName = -1;

/** Where clients acknowledge what a consumer has delivered to them. */
export const ackPattern = '$JS.ACK.*.*.>';

/** Who answers at an endpoint: the gateway that reads the request, or a shard. */
export type Answerer = 'gateway' | 'shard';

/** An endpoint as one thread knows it. */
export interface KnownEndpoint extends Endpoint {
  readonly answerer: Answerer;
  /** Whether it may be told what is asked there. */
  readonly audited: boolean;
  /** What a request costs at least that is answered there, in units of work. */
  readonly units: number;
  /** Shards at which a service answers there now. */
  readonly shards: ReadonlySet<number>;
}

interface TableEntry extends KnownEndpoint {
  readonly shards: Set<number>;
}

/**
 * One table, the same on all threads, from endpoint to who answers. An endpoint stays in it when its last service has gone: requests that were on
 * their way still find the shard that knows.
 */
export class Services {
  readonly #shards: number;
  /** By account. */
  readonly #trees: Readonly<Record<number, SubjectTree<TableEntry>>> = {
    [mainAccount]: new SubjectTree<TableEntry>(),
    [systemAccount]: new SubjectTree<TableEntry>(),
  };
  /** Of the endpoints whose requests say something in the rest of their subjects: what the names in these stand behind, and before. */
  readonly #sharing: Sharing[] = [];

  /** @param shards how many there are */
  constructor(shards: number) {
    this.#shards = shards;
    for (const pattern of [askSubject, userInfoSubject, workReplyPattern])
      this.#obtain({ pattern, nameToken: noName }, 'gateway');
    this.#obtain({ account: systemAccount, pattern: userInfoSubject, nameToken: noName }, 'gateway');
  }

  /** A shard answers at an endpoint from now on, or does not any more. */
  set(shard: number, endpoint: Endpoint, open: boolean): void {
    const { shards } = this.#obtain(endpoint, 'shard');
    if (open) shards.add(shard);
    else shards.delete(shard);
  }

  /** The endpoint that a literal subject is one of; null when it is a topic. */
  find(subject: string, account = mainAccount): KnownEndpoint | null {
    const found: TableEntry[] = [];
    this.#trees[account]?.match(subject, found);
    assert(found.length <= 1, 'endpoints do not overlap');
    return found[0] ?? null;
  }

  /**
   * Where the rest of a subject begins, behind the tokens that say whom a request concerns; -1 where it has none, or is no endpoint's. Allocates
   * nothing.
   */
  prefixEnd(span: Span, start: number, end: number): number {
    for (let i = 0; i < this.#sharing.length; i++) {
      const { place, names } = this.#sharing[i];
      const lengthBytes = place.end - place.start;
      if (start + lengthBytes < end && spanEqualAt(span, start, place))
        return behindTokens(span.bytes, start + lengthBytes, end, names);
    }
    return -1;
  }

  /** The shard that answers at a subject of the endpoint, if any does. */
  shardOf({ nameToken }: Endpoint, subject: string): number {
    if (nameToken === noName) return 0;
    const name = latin1Bytes(subject.split('.')[nameToken]);
    return mixHash(hashBytes(name, 0, name.length, hashSeedStable)) % this.#shards;
  }

  /** Calls back for every endpoint at which a shard answers. */
  forEachOf(shard: number, visit: (endpoint: Endpoint) => void): void {
    for (const tree of Object.values(this.#trees))
      tree.forEach((endpoint) => {
        if (endpoint.shards.has(shard)) visit(endpoint);
      });
  }

  #obtain({ account = mainAccount, pattern, nameToken }: Endpoint, answerer: Answerer): TableEntry {
    assert(pattern.startsWith('$'), 'endpoints begin with a dollar');
    const wildcard = isWildcardSubject(pattern);
    const tree = this.#trees[account];
    let known = tree.get(pattern, wildcard);
    if (known === null) {
      const units = pattern === ackPattern ? cost.acknowledgement : cost.request;
      known = { account, pattern, nameToken, answerer, audited: isAudited(pattern), units, shards: new Set() };
      tree.add(pattern, wildcard, known);
      assert(account === mainAccount || !pattern.endsWith('.>'), 'only subjects of the main account share topics');
      if (pattern.endsWith('.>')) this.#sharing.push(sharingOf(pattern));
    }
    assert(
      known.nameToken === nameToken && known.answerer === answerer,
      'an endpoint is the same wherever it is known',
    );
    return known;
  }
}

/** How subjects begin that have a rest: literally, then with so many names. */
interface Sharing {
  readonly place: Place;
  readonly names: number;
}

function sharingOf(pattern: string): Sharing {
  const tokens = pattern.split('.').slice(0, -1);
  const names = tokens.filter((token) => token === '*').length;
  const literal = tokens.slice(0, tokens.length - names);
  assert(!literal.includes('*') && names > 0, 'names stand behind each other, before the rest');
  return { place: placeOf(latin1Bytes(`${literal.join('.')}.`)), names };
}

/** The position behind so many tokens and their dots; -1 where nothing stands there. */
function behindTokens(bytes: Uint8Array, start: number, end: number, tokens: number): number {
  let left = tokens;
  for (let at = start; at < end - 1; at++) if (bytes[at] === dot && --left === 0) return at + 1;
  return -1;
}

/** The same endpoint as it is asked by the name of a domain: `$JS.hub.API.INFO` for `$JS.API.INFO`. */
export function inDomain(endpoint: Endpoint, domain: string): Endpoint {
  const { pattern, nameToken } = endpoint;
  const [first, ...rest] = pattern.split('.');
  const moved = nameToken === noName ? noName : nameToken + 1;
  return { ...endpoint, pattern: [first, domain, ...rest].join('.'), nameToken: moved };
}

/** A subject as it is without the name of the domain, its second token. */
export function outOfDomain(subject: string): string {
  const [first, , ...rest] = subject.split('.');
  return [first, ...rest].join('.');
}
