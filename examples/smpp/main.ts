/**
 * `node main.ts --smsc host:port …`: runs the proxy as a process. README.md lists every flag. On SIGINT and
 * SIGTERM it finishes the requests in flight and exits. It logs lines of JSON, which never contain a number.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type FailPolicy, type Ingress, LABEL } from '../node/client.ts';
import { DEFAULT_ALPHABETS } from './alphabets.ts';
import { startProxy } from './proxy.ts';
import type { Direction } from './screener.ts';

const COUNTS_EVERY_MS = 60_000;
const OPTIONS = {
  listen: { type: 'string', default: '127.0.0.1:2775' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  smsc: { type: 'string' },
  'smsc-ca': { type: 'string' },
  url: { type: 'string', default: process.env.NUMGATE_URL ?? 'http://localhost:8787' },
  'key-file': { type: 'string' },
  'fail-policy': { type: 'string', default: 'open' },
  direction: { type: 'string', default: 'both' },
  ingress: { type: 'string', default: 'international' },
  country: { type: 'string' },
  operator: { type: 'string' },
  trunk: { type: 'string' },
  'smsc-address': { type: 'string' },
  'carrier-prefix': { type: 'string' },
  window: { type: 'string', default: '1000' },
  sessions: { type: 'string', default: '100' },
  'batch-items': { type: 'string', default: '500' },
  'batch-wait-ms': { type: 'string', default: '10' },
  'deadline-ms': { type: 'string', default: '1000' },
  'response-wait-ms': { type: 'string', default: '60000' },
  'full-wait-ms': { type: 'string', default: '5000' },
  label: { type: 'string', default: LABEL },
  'label-tag': { type: 'string' },
  alphabet: { type: 'string', default: 'gsm' },
  'check-text': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;
const USAGE =
  'NUMGATE_KEY=… node main.ts --smsc [smpps://]host:port [flags]; --help lists the flags, and README.md explains them';

const flags = flagsOf();
if (flags.help) {
  const lines = Object.entries(OPTIONS).map(([name, { type, ...rest }]) => {
    const standard = type === 'string' && 'default' in rest ? ` (default: ${rest.default})` : '';
    return `  --${name}${type === 'string' ? ` <value>${standard}` : ''}`;
  });
  process.stdout.write(`${USAGE}\n\n${lines.join('\n')}\n`);
  process.exit(0);
}

function flagsOf() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function fail(message: string, code = 2): never {
  process.stderr.write(`${message}\n${USAGE}\n`);
  process.exit(code);
}

function log(event: string, detail?: unknown): void {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), event, detail })}\n`);
}

function oneOf<Value extends string>(flag: string, value: string, values: readonly Value[]): Value {
  const found = values.find((candidate) => candidate === value);
  return found ?? fail(`--${flag} must be one of ${values.join(', ')}`);
}

function count(flag: string, value: string): number {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : fail(`--${flag} must be a whole number above 0`);
}

function address(flag: string, value: string | undefined): { host: string; port: number } {
  const [, host, port] = /^\[?([^/]+?)\]?:(\d+)$/.exec(value ?? '') ?? fail(`--${flag} must be host:port`);
  return { host: host!, port: Number(port) };
}

function file(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return fail(`--${flag}: ${(error as Error).message}`);
  }
}

/** Reads a PEM file. An empty one is refused, because Node would then trust every authority of the Web. */
function certificates(flag: string, path: string): string {
  const text = file(flag, path);
  return text.includes('-----BEGIN CERTIFICATE-----')
    ? text
    : fail(`--${flag}: ${path} has no certificate in PEM`);
}

const keyFile = flags['key-file'];
const key = keyFile ? file('key-file', keyFile).trim() : process.env.NUMGATE_KEY;
if (!key) fail('no key: set NUMGATE_KEY, or pass --key-file');

const direction = oneOf<Direction | 'both'>('direction', flags.direction, ['submit', 'deliver', 'both']);
const { country, operator, trunk, 'smsc-address': smsc, 'carrier-prefix': carrierPrefix } = flags;
const ingressFields = Object.entries({ country, operator, trunk, smsc, carrierPrefix }).filter(
  ([, value]) => value !== undefined,
);
const ingress: Ingress = {
  type: oneOf('ingress', flags.ingress, ['international', 'domestic']),
  ...Object.fromEntries(ingressFields),
};

const { 'tls-cert': cert, 'tls-key': certKey, 'smsc-ca': ca } = flags;
if ((cert === undefined) !== (certKey === undefined)) fail('--tls-cert and --tls-key must be used together');
const isSmscTls = flags.smsc?.startsWith('smpps://') ?? false;
if (ca !== undefined && !isSmscTls) fail('--smsc-ca requires an SMSC with smpps://');
const certificate =
  cert === undefined ? {} : { tls: { cert: file('tls-cert', cert), key: file('tls-key', certKey!) } };
const authority = ca === undefined ? {} : { ca: certificates('smsc-ca', ca) };

const proxy = await startProxy({
  listen: address('listen', flags.listen),
  ...certificate,
  smsc: address('smsc', flags.smsc?.replace(/^smpps?:\/\//, '')),
  ...(isSmscTls ? { smscTls: authority } : {}),
  numgate: { url: flags.url, key },
  failPolicy: oneOf<FailPolicy>('fail-policy', flags['fail-policy'], ['open', 'closed']),
  label: flags.label === '' ? null : flags.label,
  ingress,
  directions: direction === 'both' ? ['submit', 'deliver'] : [direction],
  window: count('window', flags.window),
  sessionsMax: count('sessions', flags.sessions),
  batchItems: count('batch-items', flags['batch-items']),
  batchWaitMs: count('batch-wait-ms', flags['batch-wait-ms']),
  deadlineMs: count('deadline-ms', flags['deadline-ms']),
  responseWaitMs: count('response-wait-ms', flags['response-wait-ms']),
  fullWaitMs: count('full-wait-ms', flags['full-wait-ms']),
  labelTag: flags['label-tag'] === undefined ? null : count('label-tag', flags['label-tag']),
  alphabet: oneOf('alphabet', flags.alphabet, DEFAULT_ALPHABETS),
  checkText: flags['check-text'],
  log,
}).catch((error: Error) => fail(`cannot listen on ${flags.listen}: ${error.message}`, 1));
log('listening', { port: proxy.port });
const reporting = setInterval(() => log('counts', proxy.counts), COUNTS_EVERY_MS);

async function stop(): Promise<void> {
  clearInterval(reporting);
  await proxy.stop();
  log('stopped', proxy.counts);
}
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
