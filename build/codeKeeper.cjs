// Loaded before a broker or a command by `keepCode.mjs`, in each of its threads: what its programs are by the end of the thread is written beside them.
const { writeFileSync } = require('node:fs');
const vm = require('node:vm');
const { threadId } = require('node:worker_threads');

const firstShard = 1;

vm.Script = class extends vm.Script {
  constructor(text, options) {
    super(text, options);
    if (threadId > firstShard) return;
    process.once('exit', () => writeFileSync(`${options.filename}.cache`, this.createCachedData()));
  }
};
