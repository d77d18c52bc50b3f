import { Span } from '../../src/base/span.js';
import { Topic } from '../../src/router/topic.js';
import { TopicTable } from '../../src/router/topicTable.js';

export const spanOf = (text: string): Span => new Span(Buffer.from(text, 'latin1'));

/** A table of bare topics, with those that it has forgotten. */
export class TableOfTopics {
  readonly forgotten: Topic[] = [];
  readonly made: Topic[] = [];
  readonly table: TopicTable;

  constructor(seed = 1) {
    this.table = new TopicTable(
      seed,
      (subject, slot, serial, hash, account) => {
        const text = Buffer.from(subject).toString('latin1');
        const name = account === 0 ? text : `${account} ${text}`;
        const topic = new Topic(subject, name, slot, serial, hash, 'literal', 0, null, account);
        this.made.push(topic);
        return topic;
      },
      (topic) => this.forgotten.push(topic),
    );
  }

  /** @param name a subject, of another than the main account behind that one's number */
  obtain(name: string): Topic {
    const { account, subject } = partsOf(name);
    const span = spanOf(`<${subject}>`);
    const topic = this.table.obtain(span, 1, span.bytes.length - 1, account);
    topic.usedSweep = this.table.sweep;
    return topic;
  }

  find(name: string): Topic | null {
    const { account, subject } = partsOf(name);
    return this.table.find(subject, account);
  }

  /** A sweep over the whole table; returns what it visited. */
  sweep(): Topic[] {
    const visited: Topic[] = [];
    while (!this.table.sweepStep((topic) => visited.push(topic)));
    return visited;
  }
}

function partsOf(name: string): { account: number; subject: string } {
  const [subject = '', account = '0'] = name.split(' ').reverse();
  return { account: Number(account), subject };
}
