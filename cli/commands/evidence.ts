/**
 * `numgate evidence`: evidence files about one sender, for a penalty. `make` gets a file from the service; `verify` and
 * `show` need no service.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EvidenceLine, EvidenceMade, MakeEvidence } from '../../shared/admin/evidence-files.ts';
import { utf8 } from '../../shared/bytes.ts';
import { type EvidenceManifest, MANIFEST_FILE, SIGNATURE_FILE } from '../../shared/evidence-file/manifest.ts';
import { readManifest } from '../../shared/evidence-file/verify-manifest.ts';
import { parseSource } from '../../shared/sources/source.ts';
import { adminOfEnvironment } from '../admin.ts';
import { packArchive, readArchive } from '../evidence-archive.ts';
import { CommandFailure, describeFileError, unwrap } from '../failure.ts';
import { secondsOf } from '../import/dates.ts';
import { makePrivate } from '../private-files.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { linesIn } from './audit-lines.ts';
import { type VerifyOptions, verifyCase } from './evidence-verify.ts';
import { examples, positiveNumber, requireReason } from './options.ts';
import { numberOf } from './registration-options.ts';

interface MakeOptions {
  readonly organisation?: string;
  readonly from: string;
  readonly to: string;
  readonly size?: number;
  readonly out: string;
  readonly reason: string;
}

/** The text of the progress bar during each step, and the step's part of the whole. */
const STEPS = {
  stores: { note: 'reading the stores', begin: 0, end: 0.4 },
  log: { note: 'reading the audit log', begin: 0.4, end: 0.8 },
  proofs: { note: 'making proofs', begin: 0.8, end: 1 },
} as const;

const SENDER_WORDS = `
Shell histories and process lists show the words of a command line. To keep a number out of them, pass - in its place,
and write the number to standard input. A day is a day in Korea: --from means its beginning, and --to its end.`;

export function addEvidence(program: Command): void {
  const evidence = program
    .command('evidence')
    .description('make and verify evidence files about one sender (scope: evidence)');

  requireReason(evidence.command('make'))
    .description('make a signed archive of everything about a sender in a period')
    .argument('[sender]', 'a number or a sender ID; - reads it from standard input')
    .option('--organisation <id>', 'an organisation with its registered numbers, instead of a sender')
    .requiredOption(
      '--from <time>',
      'beginning of the period: a day, or a time in RFC 3339 (required)',
      begin,
    )
    .requiredOption(
      '--to <time>',
      'end of the period, not in the future: a day, or a time in RFC 3339 (required)',
      end,
    )
    .option('--size <records>', 'prove with the tree of a checkpoint of this size', positiveNumber)
    .requiredOption('--out <file>', 'archive to write; a file with this name is replaced (required)')
    .addHelpText('after', SENDER_WORDS)
    .addHelpText(
      'after',
      examples(
        'evidence make - --from 2026-10-01 --to 2026-10-31 --reason "case 2026-117" --out case.zip',
        'evidence make --organisation acme --from 2026-10-01 --to 2026-10-31 --reason "case 118" --out acme.zip',
      ),
    )
    .action(async (word: string | undefined, options: MakeOptions) => {
      const made = await make(await bodyOf(word, options));
      print(...formatMade(made, write(made, options.out), options.out));
    });

  evidence
    .command('verify')
    .description('verify an archive without the service: signatures, parts, records and their proofs')
    .argument('<file>')
    .option('--jwks <file>', 'keys of the installation, from <PUBLIC_URL>/.well-known/jwks.json')
    .addOption(
      new Option(
        '--checkpoint-key <key>',
        'key of the audit log, as numgate audit key prints it (repeatable)',
      )
        .argParser((text: string, others: readonly string[] = []) => [...others, text])
        .default([], 'none'),
    )
    .option(
      '--any-signer',
      'use the keys in the archive itself: this shows only that the archive is consistent',
      false,
    )
    .option(
      '--log <file...>',
      'files from numgate audit export, to check that no record of the period is missing',
    )
    .option('--list-key', 'compute the names of the numbers again with LIST_KEY, and compare them', false)
    .addHelpText(
      'after',
      examples('evidence verify case.zip --jwks jwks.json --checkpoint-key numgate.example+1a2b3c4d+ATx…'),
    )
    .action((file: string, options: VerifyOptions) => verifyCase(file, options));

  evidence
    .command('show')
    .description('show what an archive is about, without verifying it')
    .argument('<file>')
    .addHelpText('after', examples('evidence show case.zip'))
    .action(async (file: string) => {
      const files = readArchive(file);
      print(...formatManifest(unwrap(readManifest(files))));
    });
}

function timeOf(text: string): number {
  const seconds = secondsOf(text);
  if (seconds === null) throw new InvalidArgumentError('must be a day such as 2026-10-01, or RFC 3339');
  return seconds;
}

function begin(text: string): string {
  return new Date(timeOf(text) * 1000).toISOString();
}

/** The end of a period. A day is included as a whole. */
function end(text: string): string {
  const daySeconds = /^\d{4}-\d{2}-\d{2}$/.test(text) ? 86_400 : 0;
  return new Date((timeOf(text) + daySeconds) * 1000).toISOString();
}

async function bodyOf(word: string | undefined, options: MakeOptions): Promise<MakeEvidence> {
  const { organisation, from, to, size, reason } = options;
  if ((word === undefined) === (organisation === undefined))
    throw new CommandFailure('give either a number or sender ID, or --organisation <id>', 2);
  const sender = organisation === undefined ? await senderOf(word!) : { organisation };
  return { sender, from, to, reason, ...(size === undefined ? {} : { size }) };
}

async function senderOf(word: string): Promise<MakeEvidence['sender']> {
  const text = await numberOf(word);
  // The letters of a number are only decoration, so a text that parses as a source is a sender ID.
  return parseSource(text).ok ? { source: text } : { number: text };
}

async function make(body: MakeEvidence): Promise<EvidenceMade> {
  const progress = startProgress('evidence');
  try {
    const lines = linesIn(
      (await adminOfEnvironment().stream('evidence-files', body)) as AsyncIterable<Buffer>,
    );
    for await (const text of lines) {
      const line = lineOf(text);
      if ('evidenceFile' in line) return line.evidenceFile;
      if ('error' in line) {
        const { message, ...rest } = line.error;
        throw new CommandFailure(message, 1, rest);
      }
      const { note, begin: first, end: last } = STEPS[line.progress.step];
      progress.update(first + (last - first) * line.progress.share, note);
    }
  } finally {
    progress.stop();
  }
  throw new CommandFailure('the response was cut off: make the file again');
}

function lineOf(text: string | null): EvidenceLine {
  try {
    return JSON.parse(text ?? '') as EvidenceLine;
  } catch {
    throw new CommandFailure('the response is not NDJSON: check that NUMGATE_URL points to numgate');
  }
}

/** Writes the archive, readable only by its owner. Replaces an existing file at once, or not at all. @returns its bytes */
function write({ manifest, signature, parts }: EvidenceMade, path: string): number {
  const files = new Map<string, Uint8Array>([
    [MANIFEST_FILE, utf8(manifest)],
    [SIGNATURE_FILE, utf8(signature)],
    ...Object.entries(parts).map(([name, text]) => [name, utf8(text)] as const),
  ]);
  const archive = packArchive(files);
  const partial = `${path}.part`;
  try {
    writeFileSync(partial, archive, { mode: 0o600 });
    makePrivate(partial);
    renameSync(partial, path);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
  return archive.length;
}

function formatMade({ manifest: text, record }: EvidenceMade, bytes: number, out: string): Report {
  const manifest = JSON.parse(text) as EvidenceManifest;
  const lines = [
    ...linesOf(manifest),
    `written to ${out} (${count(bytes)} bytes); recorded in the audit log as record ${count(record)}`,
    `to verify it: npx numgate evidence verify ${out} --jwks <file> --checkpoint-key <key>`,
  ];
  return [lines.map((line) => `${line}\n`).join(''), { out, bytes, record, manifest }];
}

function formatManifest(manifest: EvidenceManifest): Report {
  const { parts } = manifest;
  const lines = [
    ...linesOf(manifest),
    ...parts.map(({ name, bytes }) => `  ${name} (${count(bytes)} bytes)`),
    'not verified: verify it with npx numgate evidence verify',
  ];
  return [lines.map((line) => `${line}\n`).join(''), manifest];
}

function linesOf({
  iss,
  madeAt,
  by,
  reason,
  sender,
  from,
  to,
  mock,
  log,
  cut,
  parts,
}: EvidenceManifest): string[] {
  return [
    `evidence about ${Object.values(sender)[0]}, from ${from} to ${to}`,
    ...(mock ? ['for tests only: the sender is a mock sender'] : []),
    `made by ${by} at ${madeAt} with ${iss}: ${reason}`,
    `${counted(parts.length, 'part')}, proven by ${count(log.size)} records of the log ${log.origin}`,
    ...(cut.length === 0
      ? []
      : [`incomplete, because there is more data than one file may have: ${cut.join(', ')}`]),
  ];
}
