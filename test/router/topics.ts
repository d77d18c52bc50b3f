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
      (subject, slot, serial, hash) => {
        const text = Buffer.from(subject).toString('latin1');
        const topic = new Topic(subject, text, slot, serial, hash, 'literal', 0);
        this.made.push(topic);
        return topic;
      },
      (topic) => this.forgotten.push(topic),
    );
  }

  obtain(text: string): Topic {
    const span = spanOf(`<${text}>`);
    const topic = this.table.obtain(span, 1, span.bytes.length - 1);
    topic.usedSweep = this.table.sweep;
    return topic;
  }

  find(text: string): Topic | null {
    return this.table.find(text);
  }

  /** A sweep over the whole table; returns what it visited. */
  sweep(): Topic[] {
    const visited: Topic[] = [];
    while (!this.table.sweepStep((topic) => visited.push(topic)));
    return visited;
  }
}
