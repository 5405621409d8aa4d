/**
 * `node main.ts <command>`: a small issuer of sender certificates, like one that a carrier could run. README.md has a walk
 * through it. Everything is in the folder that `--folder` or ISSUER_FOLDER names.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { decodeJwt, type JWK } from 'jose';
import { Issuer, STATUSES } from './issuer.ts';
import { checkNames, LINES } from './request.ts';
import { issuerServer } from './server.ts';

const OPTIONS = {
  folder: { type: 'string', default: process.env.ISSUER_FOLDER ?? '.issuer' },
  iss: { type: 'string' },
  'status-uri': { type: 'string' },
  holder: { type: 'string' },
  numbers: { type: 'string' },
  line: { type: 'string', default: 'representative' },
  key: { type: 'string' },
  days: { type: 'string', default: '365' },
  port: { type: 'string', default: '8788' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const USAGE = `node examples/issuer/main.ts <command> [--folder <folder>]

  init --iss <url> --status-uri <url>   make the key; every certificate contains iss and the URL of the list
  rotate                                make a new key, which signs from now on; the former key stays in keys
  keys                                  print the public keys, for numgate issuers set
  issue --holder <name> --numbers <numbers> --key <file> [--line <line>] [--days <days>]
                                        print a certificate; the file contains the public key of the holder
  status <certificate> <status>         set the status of a certificate, given as a file or by its jti:
                                        one of ${STATUSES.join(', ')}; revoked is final
  list                                  list the issued certificates
  status-list                           print the signed status list, for numgate status-lists push
  serve [--port <port>]                 serve keys and status list on this machine

Numbers are written +8215881234 or +82221230000..+82221230099, separated by commas; - reads
them from standard input. Lines: ${LINES.join(', ')}.
`;

try {
  await main();
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [command, ...words] = positionals;
  if (values.help || command === undefined) return print(USAGE);
  if (command === 'init') {
    const names = { iss: given('iss', values.iss), statusUri: given('status-uri', values['status-uri']) };
    checkNames(names);
    const { names: made } = await Issuer.create(values.folder, names);
    if (made.iss !== names.iss || made.statusUri !== names.statusUri)
      throw new Error(
        `${values.folder} has the issuer ${made.iss} with the list ${made.statusUri}, which never change: ` +
          'name another folder with --folder',
      );
    return print(json(made));
  }
  const issuer = open(values.folder);
  switch (command) {
    case 'keys':
      return print(json(issuer.keys()));
    case 'rotate':
      await issuer.rotate();
      return print(json(issuer.keys()));
    case 'issue': {
      const certificate = await issuer.issue({
        holder: given('holder', values.holder),
        numbers: numbersIn(given('numbers', values.numbers)),
        line: oneOf('line', values.line, LINES),
        key: jwkIn(given('key', values.key)),
        days: wholeNumber('days', values.days),
      });
      return print(`${certificate}\n`);
    }
    case 'status': {
      const [certificate = '', status = ''] = words;
      const jti = existsSync(certificate) ? jtiIn(certificate) : certificate;
      issuer.setStatus(jti, oneOf('status', status, STATUSES));
      return print(`${jti} is ${status}\n`);
    }
    case 'list':
      return print(
        issuer
          .list()
          .map((each) => `${each.jti} ${each.status}\n`)
          .join(''),
      );
    case 'status-list':
      return print(`${await issuer.statusList()}\n`);
    case 'serve':
      return serve(issuer, wholeNumber('port', values.port));
    default:
      throw new Error(`there is no command ${command}\n\n${USAGE}`);
  }
}

function serve(issuer: Issuer, port: number): void {
  const server = issuerServer(issuer);
  server.listen(port, '127.0.0.1', () => print(`serving ${issuer.names.statusUri} on port ${port}\n`));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

function open(folder: string): Issuer {
  try {
    return Issuer.open(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`${folder} has no issuer: make one with init, or name another folder with --folder`);
  }
}

function jwkIn(path: string): JWK {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JWK;
  } catch {
    throw new Error(`--key: ${path} is not a file with a public key as JSON (JWK)`);
  }
}

/** Numbers, separated by commas or white space. `-` reads standard input, so that no list of processes shows them. */
function numbersIn(text: string): string[] {
  const all = text === '-' ? readFileSync(0, 'utf8') : text;
  return all.split(/[\s,]+/).filter((number) => number !== '');
}

function jtiIn(path: string): string {
  try {
    return decodeJwt(readFileSync(path, 'utf8').trim()).jti ?? '';
  } catch {
    throw new Error(`${path} is not a file with a certificate`);
  }
}

function given(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new Error(`--${name} is missing\n\n${USAGE}`);
  return value;
}

function oneOf<Value extends string>(name: string, value: string, values: readonly Value[]): Value {
  const found = values.find((each) => each === value);
  if (found === undefined) throw new Error(`${name} must be one of ${values.join(', ')}`);
  return found;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`);
  return value;
}

function print(text: string): void {
  process.stdout.write(text);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
