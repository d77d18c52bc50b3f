import { readFileSync } from 'node:fs';

/** A fenced block of a page. */
export interface Sample {
  /** The heading that it stands under. */
  readonly heading: string;
  /** What the fence says of its language, '' for nothing. */
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

/** The fenced blocks of a Markdown file, in order. */
export function samplesOf(path: URL): Sample[] {
  const samples: Sample[] = [];
  let heading = '';
  let fence: { language: string; lines: string[]; line: number } | null = null;
  for (const [at, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (fence === null) {
      if (line.startsWith('#')) heading = line.replace(/^#+ /, '');
      if (line.startsWith('```')) fence = { language: line.slice(3), lines: [], line: at + 1 };
    } else if (line === '```') {
      samples.push({ heading, language: fence.language, text: `${fence.lines.join('\n')}\n`, line: fence.line });
      fence = null;
    } else fence.lines.push(line);
  }
  return samples;
}

/** The commands of a shell sample, without comments. */
export function commandsOf({ text }: Sample): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
