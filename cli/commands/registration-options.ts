/** The fields of a registration as options of `numgate registrations add`, `edit` and `validate`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { BASES, HOLDER_KINDS, PROOF_KINDS } from '../../shared/senders/registration.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { secondsOf } from '../import/dates.ts';
import { INPUT, linesOfInput } from '../terminal/input.ts';
import { commaList, NONE, withNulls } from './options.ts';

interface WrittenProof {
  readonly kind: string;
  readonly sha256: string;
  readonly expires?: string;
  readonly reference?: string;
}

export interface ContentOptions {
  readonly basis?: string;
  readonly holder?: string;
  readonly holderKind?: string;
  readonly clients?: readonly string[];
  readonly proof?: readonly WrittenProof[];
  readonly expires?: string;
  readonly reference?: string;
}

export const NUMBER_WORDS = `
Shell histories and process lists show the words of a command line. To keep the number out of them, pass - in its place,
and write the number to standard input. A range is written +82221230000..+82221230099.
The documents stay with you: only their SHA-256 is sent.`;

export function addContentOptions(command: Command): Command {
  return command
    .addOption(new Option('--basis <basis>', 'why you may use the number').choices(BASES))
    .option('--holder <name>', 'who holds the line')
    .addOption(
      new Option(
        '--holder-kind <kind>',
        'kind of the holder (default for a new registration: organisation)',
      ).choices(HOLDER_KINDS),
    )
    .option('--clients <list>', 'clients that may use the number, separated by commas', commaList)
    .option(
      '--proof <kind=file>',
      `a document of one of the kinds ${PROOF_KINDS.join(', ')}; the file can also be sha256:<hex>; ` +
        'optionally followed by ,expires=<date> and ,reference=<text> (repeatable)',
      (text: string, others: readonly WrittenProof[] | undefined) => [...(others ?? []), proofOf(text)],
    )
    .option(
      '--expires <date>',
      'when the registration ends: a date (its start in Korea), a time in RFC 3339, or none',
      (text: string) => (text === 'none' ? NONE : time(text)),
    )
    .option(
      '--reference <text>',
      'your own name for it, unique in your organisation; none for no name',
      (text: string) => (text === 'none' ? NONE : text),
    );
}

/**
 * @param number as written on the command line; - reads it from standard input
 * @param known the current holder, because an option may change its name alone
 */
export async function contentOf(
  number: string | undefined,
  options: ContentOptions,
  known: { readonly kind: string; readonly name?: string } = { kind: 'organisation' },
): Promise<object> {
  const { basis, holder, holderKind, clients, proof, expires, reference } = withNulls(options);
  const written = number === undefined ? undefined : await numberOf(number);
  return {
    ...(written === undefined ? {} : { number: written }),
    ...(basis === undefined ? {} : { basis }),
    ...(holder === undefined && holderKind === undefined
      ? {}
      : { holder: { kind: holderKind ?? known.kind, name: holder ?? known.name } }),
    ...(clients === undefined ? {} : { clients }),
    ...(proof === undefined ? {} : { proofs: proof }),
    ...(expires === undefined ? {} : { expires }),
    ...(reference === undefined ? {} : { reference }),
  };
}

/** @param word a number, or - for the first line of standard input */
export async function numberOf(word: string): Promise<string> {
  const number = word === INPUT ? (await linesOfInput()).find((line) => line !== '') : word;
  if (number === undefined) throw new CommandFailure('standard input is empty', 2);
  return number;
}

const PROOF = /^(\w+)=(.+?)(?:,expires=([^,]+))?(?:,reference=(.+))?$/;

function proofOf(text: string): WrittenProof {
  const [, kind = '', source = '', expires, reference] = PROOF.exec(text) ?? [];
  if (kind === '')
    throw new InvalidArgumentError('must be <kind>=<file>, such as serviceUse=certificate.pdf');
  if (!PROOF_KINDS.some((each) => each === kind))
    throw new InvalidArgumentError(`The kind must be one of ${PROOF_KINDS.join(', ')}.`);
  return {
    ...{ kind, sha256: digestOf(source) },
    ...(expires === undefined ? {} : { expires: time(expires) }),
    ...(reference === undefined ? {} : { reference }),
  };
}

function digestOf(source: string): string {
  const [, given] = /^sha256:([0-9a-f]{64})$/i.exec(source) ?? [];
  if (given !== undefined) return given.toLowerCase();
  try {
    return createHash('sha256').update(readFileSync(source)).digest('hex');
  } catch (error) {
    throw new CommandFailure(`${source}: ${describeFileError(error)}`);
  }
}

export function time(text: string): string {
  const seconds = secondsOf(text);
  if (seconds === null)
    throw new InvalidArgumentError('must be a date such as 2027-01-31, or a time (RFC 3339)');
  return new Date(seconds * 1000).toISOString();
}
