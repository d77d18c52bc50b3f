/** What comes from several sources, each in order, as one in order. */
export async function* mergedBy<T>(
  sources: readonly AsyncGenerator<T>[],
  key: (thing: T) => string,
): AsyncGenerator<T> {
  try {
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      const first = leastOf(heads, key);
      if (first < 0) return;
      yield heads[first].value;
      heads[first] = await sources[first].next();
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)));
  }
}

function leastOf<T>(heads: readonly IteratorResult<T>[], key: (thing: T) => string): number {
  let least = -1;
  heads.forEach(({ done, value }, i) => {
    if (done !== true && (least < 0 || key(value) < key(heads[least].value))) least = i;
  });
  return least;
}
