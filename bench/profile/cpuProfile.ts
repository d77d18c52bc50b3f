import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** The parts of V8's .cpuprofile format that self times need. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** µs between successive samples. */
  readonly timeDeltas: readonly number[];
}

/** A function and the time spent in itself, not in what it called. */
export interface SelfTime {
  readonly place: string;
  readonly ms: number;
}

export interface ThreadProfile {
  readonly file: string;
  /** Node's thread id: 0 is the main thread. */
  readonly thread: number;
  readonly busyMs: number;
  readonly idleMs: number;
  /** Busiest first, without idle time. */
  readonly selfTimes: readonly SelfTime[];
}

/** Node names them CPU.<date>.<time>.<pid>.<thread>.<sequence>.cpuprofile. */
function threadOf(file: string): number {
  return Number(basename(file).split('.')[4] ?? Number.NaN);
}

function placeOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)';
  if (!url) return name;
  const path = url.replace(/^file:\/\//, '').replace(/^.*\/dist\//, '');
  return `${name} ${path}:${lineNumber + 1}`;
}

/** Adds up self times by function from the profile one thread wrote. */
export function readThreadProfile(file: string): ThreadProfile {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const placeById = new Map(profile.nodes.map((node) => [node.id, placeOf(node.callFrame)]));
  const usByPlace = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const place = placeById.get(id)!;
    usByPlace.set(place, (usByPlace.get(place) ?? 0) + profile.timeDeltas[index]!);
  }
  const idleMs = (usByPlace.get('(idle)') ?? 0) / 1e3;
  usByPlace.delete('(idle)');
  const selfTimes = [...usByPlace].map(([place, us]) => ({ place, ms: us / 1e3 })).sort((a, b) => b.ms - a.ms);
  const busyMs = selfTimes.reduce((sum, { ms }) => sum + ms, 0);
  return { file, thread: threadOf(file), busyMs, idleMs, selfTimes };
}

/** The `top` functions of a thread, as text. */
export function renderThreadProfile(profile: ThreadProfile, top: number): string {
  const { thread, busyMs, idleMs, selfTimes, file } = profile;
  const lines = [`thread ${thread}: busy ${busyMs.toFixed(0)} ms, idle ${idleMs.toFixed(0)} ms  (${file})`];
  for (const { place, ms } of selfTimes.slice(0, top)) {
    const percent = ((100 * ms) / busyMs).toFixed(1);
    lines.push(`  ${percent.padStart(5)}%  ${ms.toFixed(1).padStart(9)} ms  ${place}`);
  }
  return lines.join('\n');
}
