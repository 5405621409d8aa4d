/**
 * Runs wrangler, the tool that writes KV. The code path is the same for the local store and for `--remote`.
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { CommandFailure } from '../failure.ts';
import { PROJECT, STATE, WRANGLER_CONFIG } from '../paths.ts';
import { temporaryFolder } from '../temporary.ts';

const WRANGLER = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');

/** Where a command writes. */
export interface Target {
  /** The account of the wrangler login, instead of the local store. */
  readonly remote: boolean;
  /** Environment of wrangler.toml, or '' for the top level. */
  readonly env: string;
}

/** @returns standard output @throws CommandFailure with wrangler's error message */
export async function wrangler(args: readonly string[]): Promise<string> {
  const running = promisify(execFile)(process.execPath, [WRANGLER, ...args, '--config', WRANGLER_CONFIG], {
    cwd: PROJECT,
    maxBuffer: Number.POSITIVE_INFINITY,
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: 'false',
      CI: '1',
      NO_COLOR: '1',
      WRANGLER_HIDE_BANNER: 'true',
      // wrangler prints the key list as a log line. A quieter level would suppress it.
      WRANGLER_LOG: 'log',
    },
  });
  running.child.stdin?.end();
  const end = (): void => void running.child.kill();
  process.once('exit', end);
  try {
    return (await running).stdout;
  } catch (error) {
    const { code, message, stdout, stderr } = error as ExecFileException;
    // Without output, Node itself did not start.
    const words = stripVTControlCharacters(`${stderr}${stdout}`).trim() || message;
    throw new CommandFailure(`wrangler ${args.slice(0, 3).join(' ')} failed (exit ${code}):\n${words}`);
  } finally {
    process.off('exit', end);
  }
}

function kvFlags({ remote, env }: Target): string[] {
  const where = remote ? ['--remote'] : ['--local', '--persist-to', STATE];
  return ['--binding', 'LISTS', '--preview', 'false', '--env', env, ...where];
}

/** 93 MB in base64, below the API's limit of 100 MB. */
const BULK_BYTES_MAX = 70_000_000;

/** Workers KV, as a push needs it. */
export interface Kv {
  /** Distinguishes one store from another. */
  readonly name: string;
  /** Raw bytes that one `bulkPut` accepts. */
  readonly bulkBytesMax: number;
  /** Keys with this prefix. Writes and removals of the last minute may not be visible yet. */
  keys(prefix: string): Promise<readonly string[]>;
  /** Writes a value that may be larger than a command line. */
  put(key: string, value: string): Promise<void>;
  /** Writes many binary values with one call. */
  bulkPut(values: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

/** The KV that wrangler writes for this target. */
export function kvOf(target: Target): Kv {
  const flags = kvFlags(target);
  return {
    name: `${target.remote ? 'remote' : STATE} ${target.env}`,
    bulkBytesMax: BULK_BYTES_MAX,
    async keys(prefix) {
      const listed = await wrangler(['kv', 'key', 'list', '--prefix', prefix, ...flags]);
      return (JSON.parse(listed) as { name: string }[]).map(({ name }) => name);
    },
    async put(key, value) {
      await withTemporaryFile(value, (file) => wrangler(['kv', 'key', 'put', key, '--path', file, ...flags]));
    },
    async bulkPut(values) {
      const entries = [...values].map(([key, bytes]) => ({
        key,
        value: Buffer.from(bytes).toString('base64'),
        base64: true,
      }));
      await withTemporaryFile(JSON.stringify(entries), (file) =>
        wrangler(['kv', 'bulk', 'put', file, ...flags]),
      );
    },
  };
}

async function withTemporaryFile(content: string, use: (file: string) => Promise<unknown>): Promise<void> {
  const folder = temporaryFolder('value');
  try {
    const file = join(folder.path, 'value.json');
    writeFileSync(file, content, { mode: 0o600 });
    await use(file);
  } finally {
    folder.remove();
  }
}
