import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { judge } from './bars.js';
import { endServersOnExit } from './childProcesses.js';
import { type CompareFlags, parseCommandLine } from './commandLine.js';
import { compare } from './compare.js';
import type { Scenario } from './scenario.js';
import { scenarios } from './scenarios.js';
import { selectScenarios } from './selectScenarios.js';
import { summarise } from './summary.js';
import { renderScenario } from './table.js';
import { selectTargets, type Target } from './targets.js';

function listScenarios(chosen: readonly Scenario[]): void {
  const width = Math.max(...chosen.map((scenario) => scenario.id.length));
  for (const { id, name, bars } of chosen) {
    console.log(`${id.padEnd(width)}  ${name}${bars ? `  ${JSON.stringify(bars)}` : ''}`);
  }
}

/** The targets that can be measured; says why each other cannot. */
function available(targets: readonly Target[]): Target[] {
  return targets.filter((target) => {
    const reason = target.unavailable();
    if (reason) console.log(`skipped ${target.name}: ${reason}`);
    return !reason;
  });
}

/** Progress is for eyes at a terminal only: a log keeps the tables. */
function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`);
}

async function run(flags: CompareFlags): Promise<void> {
  const chosen = selectScenarios(scenarios, flags.only);
  if (flags.list) {
    listScenarios(chosen);
    return;
  }
  const targets = available(selectTargets(flags.targets, flags.shardcastDir));
  if (targets.length === 0) throw new Error('nothing to measure');

  const { rounds, seconds, warmUp: warmUpSeconds, generatorThreads: threads } = flags;
  const options = { rounds, seconds, warmUpSeconds, threads, onProgress: showProgress };
  const host = { cpu: os.cpus()[0]?.model.trim(), cores: os.availableParallelism(), node: process.version };
  console.log(`${host.cores} cores, ${host.cpu}, Node ${host.node}; ${new Date().toISOString()}\n`);

  const report = [];
  let allMet = true;
  for (const scenario of chosen) {
    const results = await compare(scenario, targets, options);
    const summaries = [...results].map(([target, runs]) => summarise(target, runs));
    const subject = summaries.find((summary) => summary.target === 'shardcast');
    const verdicts = subject ? judge(scenario, subject, summaries) : [];
    if (scenario.bars && !(subject && verdicts.every((verdict) => verdict.met))) allMet = false;
    showProgress('');
    console.log(`${renderScenario(scenario, summaries, verdicts)}\n`);
    report.push({ scenario, runs: Object.fromEntries(results), summaries, verdicts });
    // After each scenario, so that an interrupted run leaves what it had.
    if (flags.json) writeFileSync(flags.json, JSON.stringify({ host, options, scenarios: report }, null, 2));
  }
  if (flags.gate) {
    console.log(allMet ? 'gate: every bar is met' : 'gate: a bar is not met, or was not measured');
    if (!allMet) process.exitCode = 1;
  }
}

endServersOnExit();
run(parseCommandLine(process.argv)).catch((error: unknown) => {
  console.error(`bench:compare: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
});
