import type { Scenario } from './scenario.js';

/** Scenarios by exact id or name, else by regular expression over both (any case). Throws when a word matches nothing. */
export function selectScenarios(all: readonly Scenario[], words: readonly string[] | undefined): Scenario[] {
  if (!words || words.length === 0) return [...all];
  const chosen = new Set<Scenario>();
  for (const word of words) {
    const exact = all.filter((scenario) => scenario.id === word || scenario.name === word);
    const pattern = new RegExp(word, 'i');
    const found =
      exact.length > 0 ? exact : all.filter((scenario) => pattern.test(scenario.id) || pattern.test(scenario.name));
    if (found.length === 0) throw new Error(`no scenario matches '${word}'; --list shows them`);
    for (const scenario of found) chosen.add(scenario);
  }
  return all.filter((scenario) => chosen.has(scenario));
}
