/**
 * Runs wrangler, the tool that writes KV. The code path is the same for the local store and for `--remote`.
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify, stripVTControlCharacters } from 'node:util';
import { pauseMs } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { COMPILED, PROJECT, STATE, WRANGLER_CONFIG } from '../paths.ts';
import { temporaryFolder } from '../temporary.ts';

const WRANGLER = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');

/** Where a command writes. */
export interface Target {
  /** The account of the wrangler login, instead of the local store. */
  readonly remote: boolean;
  /** Environment of wrangler.toml, or '' for the top level. */
  readonly env: string;
}

/**
 * Environment variables that wrangler and Node read: programs and folders, network, locale, the Cloudflare account. The secrets
 * of this installation are not among them.
 */
const PASSED = [
  /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LANGUAGE|CI|TMPDIR|TEMP|TMP|DO_NOT_TRACK)$/,
  /^(LC|XDG|CLOUDFLARE|CF|WRANGLER|MINIFLARE)_/,
  /^(HTTP|HTTPS|ALL|NO)_PROXY$/i,
  /^(NODE_EXTRA_CA_CERTS|NODE_OPTIONS|NODE_USE_ENV_PROXY|NODE_USE_SYSTEM_CA|SSL_CERT_FILE|SSL_CERT_DIR)$/,
  // Access to a keyring that holds the login.
  /^DBUS_SESSION_BUS_ADDRESS$/,
  // Windows.
  /^(SystemRoot|ComSpec|PATHEXT|USERPROFILE|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA|ProgramData)$/i,
];

/** The variables that wrangler may read. */
function wranglerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passed = Object.entries(env).filter(([name]) => PASSED.some((pattern) => pattern.test(name)));
  return {
    ...Object.fromEntries(passed),
    WRANGLER_SEND_METRICS: 'false',
    CI: '1',
    NODE_COMPILE_CACHE: COMPILED,
    NO_COLOR: '1',
    WRANGLER_HIDE_BANNER: 'true',
    // wrangler prints the key list as a log line. A quieter level would suppress it.
    WRANGLER_LOG: 'log',
  };
}

/** @param input for standard input @returns standard output @throws CommandFailure with wrangler's error message */
export async function wrangler(args: readonly string[], input = ''): Promise<string> {
  const running = promisify(execFile)(process.execPath, [WRANGLER, ...args, '--config', WRANGLER_CONFIG], {
    cwd: PROJECT,
    maxBuffer: Number.POSITIVE_INFINITY,
    env: wranglerEnvironment(process.env),
  });
  // wrangler may end without reading its input. Its exit code then reports why.
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
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

/** Sets a secret of a deployed Worker. The value goes through standard input: a command line is visible to others. */
export async function putSecret(name: string, value: string, env: string): Promise<void> {
  await wrangler(['secret', 'put', name, '--env', env], value);
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

/** Retries of one call to KV. */
const KV_RETRIES = 5;
/**
 * What wrangler prints if a call to KV fails and may succeed a moment later: the service has a problem or refuses
 * more requests, the connection failed, or a process that writes the same local store has locked it.
 */
const TEMPORARY =
  /internal server error|bad gateway|service unavailable|gateway time-?out|too many requests|fetch failed|ECONNRESET|ETIMEDOUT|EAI_AGAIN/i;

/** Runs `wrangler kv`. A call writes fixed values or reads, so it can be repeated. */
async function wranglerKv(args: readonly string[]): Promise<string> {
  for (let tried = 0; ; tried++) {
    try {
      return await wrangler(['kv', ...args]);
    } catch (error) {
      const isTemporary = error instanceof CommandFailure && TEMPORARY.test(error.message);
      if (tried === KV_RETRIES || !isTemporary) throw error;
      await setTimeout(pauseMs(tried, null));
    }
  }
}

/** The KV that wrangler writes for this target. */
export function kvOf(target: Target): Kv {
  const flags = kvFlags(target);
  return {
    name: `${target.remote ? 'remote' : STATE} ${target.env}`,
    bulkBytesMax: BULK_BYTES_MAX,
    async keys(prefix) {
      const listed = await wranglerKv(['key', 'list', '--prefix', prefix, ...flags]);
      return (JSON.parse(listed) as { name: string }[]).map(({ name }) => name);
    },
    async put(key, value) {
      await withTemporaryFile(value, (file) => wranglerKv(['key', 'put', key, '--path', file, ...flags]));
    },
    async bulkPut(values) {
      const entries = [...values].map(([key, bytes]) => ({
        key,
        value: Buffer.from(bytes).toString('base64'),
        base64: true,
      }));
      await withTemporaryFile(JSON.stringify(entries), (file) => wranglerKv(['bulk', 'put', file, ...flags]));
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
