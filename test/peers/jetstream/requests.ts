import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** One thing that both servers are asked. */
export interface OptionsRequest {
  readonly subject: string;
  /** `@A#3` in it is replaced by the time of message 3 of stream A. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came of it: status, headers and JSON, or text, of each message. */
export type Answered = readonly unknown[];

/** Asks, and takes all messages of the answer: of a direct get up to its status, of all else the one. */
export async function ask(
  connection: NatsConnection,
  { subject, body: written = '', headers: given }: OptionsRequest,
): Promise<Answered> {
  const body = await withTimes(connection, written);
  const inbox = createInbox();
  const answered: unknown[] = [];
  const subscription = connection.subscribe(inbox);
  const options = given === undefined ? { reply: inbox } : { reply: inbox, headers: headersOf(given) };
  connection.publish(subject, body, options);
  for await (const message of subscription) {
    answered.push(shown(message));
    if (isLast(subject, body, message)) break;
  }
  subscription.unsubscribe();
  return answered;
}

const timeOfMessage = /@([A-Z])#(\d+)/g;
const noSuchTime = '2020-01-01T00:00:00Z';

async function withTimes(connection: NatsConnection, body: string): Promise<string> {
  const times: string[] = [];
  for (const [, stream, sequence] of body.matchAll(timeOfMessage)) {
    const found = await connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, `{"seq":${sequence}}`);
    times.push(found.json<{ message?: { time: string } }>().message?.time ?? noSuchTime);
  }
  return body.replace(timeOfMessage, () => times.shift() as string);
}

function headersOf(given: Readonly<Record<string, string>>): ReturnType<typeof headers> {
  const block = headers();
  for (const [name, value] of Object.entries(given)) block.append(name, value);
  return block;
}

/** Only a direct get of several messages has more than one, and a status behind them. */
function isLast(subject: string, body: string, message: Msg): boolean {
  const several = subject.includes('DIRECT.GET') && /"batch":-?[1-9]|"multi_last":\["/.test(body);
  return !several || (message.headers?.code ?? 0) !== 0;
}

/** Fields whose values are those of a moment or of a server. */
const passing = /^(ts|created|time|Nats-Time-Stamp|leader|_nats\.ver)$/;
/** nats-server's file store says that message 0 of an empty stream was deleted. */
const ofDeleted = /^(deleted|num_deleted)$/;
const zeroTime = '0001-01-01T00:00:00Z';

function shown(message: Msg): unknown {
  const text = message.string();
  const payload = text.startsWith('{') ? normal(JSON.parse(text)) : text;
  if (message.headers === undefined) return payload;
  const lines = [...message.headers].map(([name, values]) => [name, passing.test(name) ? '-' : values.join(', ')]);
  return { status: message.headers.code, description: message.headers.description, lines, payload };
}

/** The same without what differs from run to run. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  const neverHadAny = (value as { last_seq?: number }).last_seq === 0;
  const told = Object.entries(value).filter(([key]) => !(neverHadAny && ofDeleted.test(key)));
  const fields = told.map(([key, field]) => {
    // where nothing ever was, nats-server begins with 1 once it has been emptied
    if (key === 'first_seq' && neverHadAny) return [key, '-'];
    if (/^(first_ts|last_ts)$/.test(key)) return [key, field === zeroTime ? field : '-'];
    return [key, passing.test(key) ? '-' : normal(field)];
  });
  return Object.fromEntries(fields);
}
