import type { Audience } from '../audience.js';
import type { Connection } from '../connection.js';

/**
 * Which connections share an output: those that have been found to get the same of everything, so that outputs have no member in common.
 * That is learned from the plans as they come. What shows that connections differ sets them apart: each has an output of its own then.
 */
export class OutputClasses {
  /** Changes when a connection gets another output: plans made before do not hold. */
  version = 0;
  #classes = new WeakMap<Connection, Audience>();
  readonly #apart = new Set<Connection>();

  /** Whether any connections were set apart. */
  get anyApart(): boolean {
    return this.#apart.size > 0;
  }

  /** The audiences whose outputs take what is for this one: itself, or its members' own. */
  split(audience: Audience): readonly Audience[] {
    const { members } = audience;
    if (members.every((member) => this.#classes.get(member) === audience)) return [audience];
    if (members.some((member) => this.#apart.has(member)) || !this.#includesClasses(audience)) this.#setApart(members);
    if (members.some((member) => this.#apart.has(member))) return members.map(({ solo }) => solo);
    this.#join(audience);
    return [audience];
  }

  /** Begins anew: connections may have come to get the same. */
  clear(): void {
    this.#classes = new WeakMap();
    this.#apart.clear();
    this.version++;
  }

  /** Whether the audience has all members of each class that one of its members is in. */
  #includesClasses({ members }: Audience): boolean {
    const all = new Set(members);
    const classes = new Set(members.map((member) => this.#classes.get(member)));
    return [...classes].every((known) => known === undefined || known.members.every((other) => all.has(other)));
  }

  #join(audience: Audience): void {
    if (audience.members.some((member) => this.#classes.has(member))) this.version++;
    for (const member of audience.members) this.#classes.set(member, audience);
  }

  #setApart(members: readonly Connection[]): void {
    for (const member of members) {
      if (this.#apart.has(member)) continue;
      const known = this.#classes.get(member);
      for (const each of known === undefined ? [member] : known.members) this.#setOneApart(each);
    }
  }

  #setOneApart(member: Connection): void {
    const known = this.#classes.get(member);
    if (known !== undefined && known !== member.solo) this.version++;
    this.#apart.add(member);
    this.#classes.set(member, member.solo);
  }
}
