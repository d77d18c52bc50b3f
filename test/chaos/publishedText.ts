/** What publisher `publisher` publishes as its message `index`: told from all others, of many lengths. */
export function publishedText(publisher: string, index: number): string {
  return `${publisher} ${index} ${'x'.repeat((index * 37) % 500)}`;
}

/** The index of a message as its publisher published it; -1 when it is not that. */
export function publishedIndex(publisher: string, text: string): number {
  const index = Number(text.split(' ')[1]);
  return text === publishedText(publisher, index) ? index : -1;
}
