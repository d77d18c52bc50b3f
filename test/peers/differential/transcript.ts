import fc from 'fast-check';

/** What a connection says in one go: whole operations, cut into writes anywhere. */
export interface Step {
  /** Which of the connections speaks. */
  readonly who: number;
  readonly bytes: string;
  /** Where the bytes are cut, as shares of their length. */
  readonly cuts: readonly number[];
  /** How the connection ends behind them, if it does. */
  readonly ending: Ending;
}

/** `close`: the client says no more and reads on. `error`: it says `-ERR`. `half`: it says no more in the middle of an operation. */
export type Ending = 'none' | 'close' | 'error' | 'half';

export interface Transcript {
  /** The first CONNECT of each connection. */
  readonly connects: readonly string[];
  readonly steps: readonly Step[];
}

export const connections = 3;
/** Sids of members of queue groups begin here: which member gets a message is chance. */
export const queueSidMin = 100;
/** Sids that may end after a number of messages. */
export const limitedSidMin = 10;

// `$` first is where we differ on purpose, and `$SYS` is the server's own.
const token = fc.constantFrom('a', 'b', 'c', 'A', '*', '>', '', 'a*', 'x>', '>a', '**', '$J', 'é', '_', '-', '{}');
const literal = fc.constantFrom('a', 'b', 'c', 'A', 'a*');
const anySubject = fc
  .array(fc.oneof({ weight: 6, arbitrary: literal }, token), { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join('.'))
  .filter((text) => text !== '' && !text.startsWith('$'));
const clean = fc.array(literal, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.'));
/** About as long as a control line may be. */
const long = fc
  .tuple(fc.constantFrom('a.', 'b.', 'zz'), fc.integer({ min: 4060, max: 4110 }))
  .map(([start, length]) => start.padEnd(length, 'x'));
const subject = fc.oneof({ weight: 6, arbitrary: clean }, { weight: 5, arbitrary: anySubject });
const pattern = fc.oneof(
  { weight: 4, arbitrary: subject },
  fc.constantFrom('>', 'a.>', '*', '*.*', 'a.*', '*.b', 'a.*.c', '*.>', 'r.*', 'r.>', '>.a', 'a.>.b'),
);

const sids = ['1', '2', '3', '4', 'x', '007'];
const limitedSids = [0, 1, 2].map((i) => `${limitedSidMin + i}`);
const queueSids = [0, 1, 2, 3].map((i) => `${queueSidMin + i}`);
const sid = fc.constantFrom(...sids);
const limitedSid = fc.constantFrom(...limitedSids);
const queueSid = fc.constantFrom(...queueSids);
const gap = fc.constantFrom(' ', ' ', ' ', '  ', '\t', ' \t ');
const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', ' \r\n');
const payload = fc.constantFrom('', 'x', 'hello', '\r\n', 'PUB a 1\r\n', '\0\xff', 'y'.repeat(300), 'z'.repeat(9000));
const block = fc.constantFrom('NATS/1.0\r\n\r\n', 'NATS/1.0\r\nA: b\r\n\r\n', 'odd', '');
const reply = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('', '', 'r.1', 'r.2', 'a.b', 'a', 'r') },
  fc.constantFrom('_R_.x', '*', '>', 'a..b', 'r.>', '_INBOX.x.y', '_', '$X'),
);

/** A word in any case. */
const anyCase = (word: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(word) },
    fc.constant(word.toLowerCase()),
    fc.constant(word[0] + word.slice(1).toLowerCase()),
  );

const subscribe = fc
  .tuple(anyCase('SUB'), pattern, fc.oneof(sid, sid, limitedSid), gap, end)
  .map(([word, to, id, g, e]) => `${word}${g}${to}${g}${id}${e}`);
const join = fc
  .tuple(pattern, fc.constantFrom('q', 'r'), queueSid, end)
  .map(([to, group, id, e]) => `SUB ${to} ${group} ${id}${e}`);
const unsubscribe = fc
  .tuple(anyCase('UNSUB'), fc.oneof(sid, limitedSid, queueSid, fc.constant('none')), gap, end)
  .map(([word, id, g, e]) => `${word}${g}${id}${e}`);
const limit = fc
  .tuple(limitedSid, fc.constantFrom('-1', '0', '1', '2', '3', '4', '1', '2', 'x', '+2', '02', '1.5'), end)
  .map(([id, max, e]) => `UNSUB ${id} ${max}${e}`);
const publish = fc
  .tuple(anyCase('PUB'), subject, reply, payload, gap, end)
  .map(([word, to, r, p, g, e]) => `${word}${g}${to}${g}${r}${r && g}${p.length}${e}${p}\r\n`);
/** Numbered messages, so that their order shows, to a few subjects in turn: what a publisher at full speed sends in one read. */
const burst = fc
  .tuple(fc.array(subject, { minLength: 1, maxLength: 3 }), fc.constantFrom(2, 5, 40), fc.constantFrom('', ' r.1'))
  .map(([subjects, rounds, r]) => {
    const line = (to: string, round: number): string => `PUB ${to}${r} ${`${round}`.length}\r\n${round}\r\n`;
    return Array.from({ length: rounds }, (_, round) => subjects.map((to) => line(to, round)).join('')).join('');
  });
const publishWithHeaders = fc
  .tuple(anyCase('HPUB'), subject, reply, block, payload)
  .map(([word, to, r, h, p]) => `${word} ${to} ${r} ${h.length} ${h.length + p.length}\r\n${h}${p}\r\n`);
const harmless = fc.constantFrom(
  'PING\r\n',
  'ping\n',
  'PING and more\r\n',
  'PONG\r\n',
  'PONG x\r\n',
  '+OK\r\n',
  '+ok then\r\n',
  'INFO {}\r\n',
);
/** With a second CONNECT nats-server lets the subscriptions of before go silent, and we do not. */
const unsubscribeAll = [...sids, ...limitedSids, ...queueSids].map((id) => `UNSUB ${id}\r\n`).join('');
/** None is pedantic: nats-server then delivers what it says is wrong, and says it twice where a read ends in the payload. */
const flags = fc.record(
  {
    verbose: fc.boolean(),
    echo: fc.boolean(),
    headers: fc.boolean(),
    no_responders: fc.boolean(),
    name: fc.constantFrom('x', ''),
    lang: fc.constantFrom('raw', ''),
    version: fc.constantFrom('1'),
    protocol: fc.constantFrom(0, 1),
    tls_required: fc.constant(false),
    unknown: fc.constantFrom(null, 1, 'x', {}),
  },
  { requiredKeys: [] },
);
const again = flags
  .filter(({ no_responders }) => no_responders !== true)
  .map((options) => `CONNECT ${JSON.stringify(options)}\r\n`);
const oddConnect = fc.constantFrom(
  'CONNECT {}\r\n',
  'CONNECT  {"verbose":false}  \r\n',
  'CONNECT\t{"echo":true}\r\n',
  'CONNECT {"headers":false,"no_responders":true}\r\n',
  'CONNECT {"verbose":1}\r\n',
  'CONNECT {"verbose":null}\r\n',
  'CONNECT {"echo":"no"}\r\n',
  'CONNECT {"protocol":2}\r\n',
  'CONNECT {"protocol":-1}\r\n',
  'CONNECT {"protocol":1.5}\r\n',
  'CONNECT {"name":7}\r\n',
  'CONNECT {"__proto__":{"verbose":true}}\r\n',
  'CONNECT null\r\n',
  'CONNECT []\r\n',
  'CONNECT {\r\n',
  'CONNECT {} {}\r\n',
  'CONNECT\r\n',
);
const wrong = fc.constantFrom(
  'PUB a x\r\n',
  'PUB a\r\n',
  'PUB\r\n',
  'PUB a b c 1\r\nx\r\n',
  'PUB a -1\r\n',
  'PUB a 0x1\r\nx\r\n',
  'PUB a 2\r\nabc\r\n',
  'PUB a 1\r\nx\n',
  'PUB a 2000000\r\n',
  'PUB a 99999999999\r\n',
  'HPUB a 3 2\r\n',
  'HPUB a 1\r\nx\r\n',
  'HPUB a x 2\r\n',
  'HPUB a 12 2000000\r\n',
  'SUB a\r\n',
  'SUB\r\n',
  'SUB a q 1 2\r\n',
  'UNSUB\r\n',
  'UNSUB 1 2 3\r\n',
  'BAD\r\n',
  'MSG a 1 1\r\nx\r\n',
  'A+ x\r\n',
  '\r\n',
  ' PING\r\n',
  'PINGS\r\n',
  'PIN\r\n',
  '+NO\r\n',
  'SUBS a 1\r\n',
  '\0\r\n',
);
const longLine = fc.oneof(
  fc.tuple(long, sid).map(([to, id]) => `SUB ${to} ${id}\r\n`),
  long.map((to) => `PUB ${to} 1\r\nx\r\n`),
  long.map((id) => `UNSUB ${id}\r\n`),
  long.map((text) => `${unsubscribeAll}CONNECT {"name":"${text}"}\r\n`),
);

const operation: fc.Arbitrary<string> = fc.oneof(
  { weight: 50, arbitrary: subscribe },
  { weight: 16, arbitrary: join },
  { weight: 14, arbitrary: unsubscribe },
  { weight: 20, arbitrary: limit },
  { weight: 55, arbitrary: publish },
  { weight: 15, arbitrary: burst },
  { weight: 30, arbitrary: publishWithHeaders },
  { weight: 14, arbitrary: harmless },
  { weight: 14, arbitrary: fc.oneof({ weight: 5, arbitrary: again }, oddConnect).map((line) => unsubscribeAll + line) },
  { weight: 3, arbitrary: wrong },
  { weight: 2, arbitrary: longLine },
);

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.integer({ min: 0, max: connections - 1 }),
  bytes: fc.array(operation, { minLength: 1, maxLength: 12 }).map((all) => all.join('')),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
  ending: fc.oneof(
    { weight: 14, arbitrary: fc.constant<Ending>('none') },
    fc.constantFrom<Ending>('close', 'error', 'half'),
  ),
});

const connect = flags.map((options) => {
  const no_responders = options.no_responders === true && options.headers === true;
  return `CONNECT ${JSON.stringify({ pedantic: false, ...options, no_responders })}\r\n`;
});

export const transcript: fc.Arbitrary<Transcript> = fc.record({
  connects: fc.array(connect, { minLength: connections, maxLength: connections }),
  steps: fc.array(step, { minLength: 1, maxLength: 7 }),
});
