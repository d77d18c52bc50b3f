/** What a time may lack or have too much of, in the words of Go, in which nats-server says it. */
const layout = '2006-01-02T15:04:05Z07:00';
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The parts of a time in RFC 3339: what each is, as the layout writes it, and what numbers it may be. */
const parts: readonly (readonly [pattern: RegExp, shown: string, name: string, min: number, max: number])[] = [
  [/^\d{4}/, '2006', 'year', 0, 9999],
  [/^-/, '-', '', 0, 0],
  [/^\d\d/, '01', 'month', 1, 12],
  [/^-/, '-', '', 0, 0],
  // checked when month and year are known
  [/^\d\d/, '02', 'day', 0, 99],
  [/^T/, 'T', '', 0, 0],
  [/^\d\d?/, '15', 'hour', 0, 23],
  [/^:/, ':', '', 0, 0],
  [/^\d\d/, '04', 'minute', 0, 59],
  [/^:/, ':', '', 0, 0],
  [/^\d\d/, '05', 'second', 0, 59],
  [/^(?:[.,]\d+)?/, '', '', 0, 0],
];
const zone = /^(?:Z|[+-](\d\d):(\d\d))/;

/** Why Go says that a text is no time in RFC 3339; null where it finds nothing. */
export function goTimeError(text: string): string | null {
  const quoted = JSON.stringify(text);
  const numbers = new Map<string, number>();
  let rest = text;
  const lacks = (shown: string): string =>
    `parsing time ${quoted} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(shown)}`;
  const isOut = (name: string): string => `parsing time ${quoted}: ${name} out of range`;
  for (const [pattern, shown, name, min, max] of parts) {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) return lacks(shown);
    rest = rest.slice(found.length);
    if (name === '') continue;
    if (Number(found) < min || Number(found) > max) return isOut(name);
    numbers.set(name, Number(found));
  }
  const offset = zone.exec(rest);
  if (offset === null) return lacks('Z07:00');
  const [all, hours = '0', minutes = '0'] = offset;
  if (Number(hours) > 24) return isOut('time zone offset hour');
  if (Number(minutes) > 60) return isOut('time zone offset minute');
  if (rest.length > all.length) return `parsing time ${quoted}: extra text: ${JSON.stringify(rest.slice(all.length))}`;
  return isDay(numbers) ? null : isOut('day');
}

function isDay(numbers: ReadonlyMap<string, number>): boolean {
  const [year, month, day] = ['year', 'month', 'day'].map((name) => numbers.get(name) as number) as [
    number,
    number,
    number,
  ];
  const leaps = month === 2 && ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0);
  return day >= 1 && day <= (daysInMonth[month - 1] as number) + (leaps ? 1 : 0);
}
