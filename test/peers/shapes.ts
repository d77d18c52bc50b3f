/** Every key of an answer, with the type of its value; items of lists count as one, which has the keys of all of them. */
export function shapeOf(value: unknown, at = '', shape = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value)) {
    shape.set(at, 'list');
    for (const item of value) shapeOf(item, `${at}[]`, shape);
  } else if (typeof value === 'object' && value !== null) {
    if (at !== '') shape.set(at, 'object');
    for (const [key, item] of Object.entries(value)) shapeOf(item, at === '' ? key : `${at}.${key}`, shape);
  } else shape.set(at, typeof value);
  return shape;
}

/** Without what is listed, and whatever stands below it. */
export function without(shape: ReadonlyMap<string, string>, listed: readonly string[] = []): Record<string, string> {
  const isListed = (key: string): boolean =>
    listed.some((each) => key === each || key.startsWith(`${each}.`) || key.startsWith(`${each}[`));
  return Object.fromEntries([...shape].filter(([key]) => !isListed(key) && !key.startsWith('http_req_stats')).sort());
}
