/**
 * Runs `numgate text train` with the given arguments in a separate process. After the output of the command, prints its
 * duration in seconds and the peak memory of the process in bytes.
 */
import { run } from '../../cli/program.ts';

const start = performance.now();
const code = await run(['text', 'train', ...process.argv.slice(2)]);
if (code !== 0) process.exit(code);
const seconds = (performance.now() - start) / 1000;
process.stdout.write(`\n${JSON.stringify({ seconds, peak: process.resourceUsage().maxRSS * 1024 })}`);
