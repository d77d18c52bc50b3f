// Sums the results of several vitest runs into one last line. Fails when a test failed, or a run left no results.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
for (const path of process.argv.slice(2)) {
  try {
    const results = JSON.parse(readFileSync(path, 'utf8'));
    passed += results.numPassedTests;
    // A file that cannot even be loaded counts as one failure.
    const brokenFiles = results.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
    );
    failed += results.numFailedTests + brokenFiles.length;
  } catch (error) {
    console.error(`no results in ${path}: ${error.message}`);
    failed += 1;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
