/** A sample of the text that Prometheus scrapes. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/gy;

/**
 * Reads text in Prometheus' format as strictly as Prometheus does.
 *
 * @throws Error for what Prometheus would not take: a line that is none, a metric without its type, two samples with the same labels
 */
export function readExposition(text: string): ScrapedSample[] {
  const types = new Set<string>();
  const seen = new Set<string>();
  return text.split('\n').flatMap((each) => {
    const [, typed] = /^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/.exec(each) ?? [];
    if (typed !== undefined) types.add(typed);
    if (each === '' || each.startsWith('#')) return [];
    const [, name = '', labels = '', value = ''] = line.exec(each) ?? fail(`no sample: ${each}`);
    if (!types.has(name.replace(/_(bucket|sum|count)$/, '')) && !types.has(name)) fail(`${name} has no type`);
    const key = `${name}{${labels}}`;
    if (seen.has(key)) fail(`${key} is there twice`);
    seen.add(key);
    return [{ name, labels: readLabels(labels), value: Number(value) }];
  });
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < text.length) {
    const [, name = '', value = ''] = label.exec(text) ?? fail(`no labels: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

function fail(why: string): never {
  throw new Error(why);
}
