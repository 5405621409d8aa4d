#!/usr/bin/env node
/** `npx numgate <command>`. Node caches compiled code, so later starts take half the time of the first. */
import { enableCompileCache } from 'node:module';
import { COMPILED } from './paths.ts';
import { createPrivately } from './private-files.ts';

/** Exit codes after SIGINT and SIGPIPE, as in shells. */
const INTERRUPTED = 130;
const PIPE_CLOSED = 141;

createPrivately();
enableCompileCache(COMPILED);
const { run } = await import('./program.ts');

// The reader closed the pipe, as in `audit export | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(PIPE_CLOSED);
});

// process.exit runs the exit handlers, which remove temporary files. An interrupted build leaves no
// incomplete folder.
process.once('SIGINT', () => process.exit(INTERRUPTED));
process.once('SIGTERM', () => process.exit(INTERRUPTED));

process.exitCode = await run(process.argv.slice(2));
