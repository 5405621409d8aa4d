/** `numgate evidence verify`: prints each step of the verification, and fails if a step fails. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { auditLine, keyedNumber } from '../../shared/audit.ts';
import { type PublicJwk, publicJwkSchema } from '../../shared/credentials/keys.ts';
import { jsonPart, parseJson, textOf } from '../../shared/evidence-file/json-part.ts';
import type { EvidenceManifest } from '../../shared/evidence-file/manifest.ts';
import {
  KEYS_PART,
  keysSchema,
  LOG_PART,
  SUBJECTS_PART,
  subjectsSchema,
} from '../../shared/evidence-file/parts.ts';
import { recordsIn } from '../../shared/evidence-file/records.ts';
import type { StepResult } from '../../shared/evidence-file/steps.ts';
import {
  type EvidenceTrust,
  type EvidenceVerification,
  verifyEvidence,
} from '../../shared/evidence-file/verify.ts';
import type { EvidenceFiles } from '../../shared/evidence-file/verify-manifest.ts';
import { EVIDENCE_KEYS_MAX } from '../../shared/limits/evidence-files.ts';
import { prefixOf } from '../../shared/numbers/number.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import { openVerifier } from '../../shared/signed-note.ts';
import { readArchive } from '../evidence-archive.ts';
import { CommandFailure, describeFileError, unwrap } from '../failure.ts';
import { listKeyRing } from '../secrets.ts';
import { count } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { styleText } from '../terminal/visible.ts';
import { openKeys } from './audit-checkpoints.ts';
import { linesOfFile, recordIn } from './audit-lines.ts';

export interface VerifyOptions {
  readonly jwks?: string;
  readonly checkpointKey: readonly string[];
  readonly anySigner: boolean;
  readonly log?: readonly string[];
  readonly listKey: boolean;
}

/** A step that the options `--log` and `--list-key` add. */
interface ExtraStep {
  readonly step: 'complete' | 'listKey';
  readonly ok: boolean;
  readonly message: string;
}

type Step = Pick<StepResult, 'ok' | 'message'> & { readonly step: string };

export async function verifyCase(path: string, options: VerifyOptions): Promise<void> {
  const files = readArchive(path);
  const trust = await trustOf(files, options);
  const verified = await verifyEvidence(files, trust);
  const extra: ExtraStep[] = [];
  if (verified.ok && options.log !== undefined)
    extra.push(await verifyComplete(files, verified, options.log));
  if (verified.ok && options.listKey) extra.push(await verifyNames(files));
  const isOk = verified.ok && extra.every(({ ok }) => ok);
  print(...formatSteps(verified, extra, isOk, options.anySigner));
  if (!verified.ok) throw new CommandFailure('the evidence file is not what it claims to be');
  // An extra step may fail without a fault of the file, for example if the export ends too early.
  if (!isOk) throw new CommandFailure('the archive is signed and complete, but not every step passed');
}

/** @throws CommandFailure without keys: a file that vouches for itself proves nothing */
async function trustOf(
  files: EvidenceFiles,
  { jwks, checkpointKey, anySigner }: VerifyOptions,
): Promise<EvidenceTrust> {
  if (anySigner && (jwks !== undefined || checkpointKey.length > 0))
    throw new CommandFailure(
      '--any-signer takes the keys from the archive: leave out --jwks and --checkpoint-key',
      2,
    );
  if (anySigner) return ownKeys(files);
  if (jwks === undefined || checkpointKey.length === 0) {
    const need = 'pass the keys of the installation with --jwks <file> and --checkpoint-key <key>';
    throw new CommandFailure(`${need}, or check only that the archive is consistent with --any-signer`, 2);
  }
  return { jwks: readJwks(jwks), checkpointKeys: await openKeys('--checkpoint-key', checkpointKey) };
}

const jwkSetSchema = v.looseObject({
  keys: v.pipe(v.array(v.looseObject({})), v.maxLength(EVIDENCE_KEYS_MAX)),
});

/** Leaves out keys of other kinds, because numgate has none. */
function jwksOf(keys: readonly object[]): PublicJwk[] {
  return keys.flatMap((key) => {
    const parsed = v.safeParse(publicJwkSchema, key);
    return parsed.success ? [parsed.output] : [];
  });
}

function readJwks(path: string): PublicJwk[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
  const parsed = v.safeParse(jwkSetSchema, parseJson(text));
  const keys = parsed.success ? jwksOf(parsed.output.keys) : [];
  if (keys.length > 0) return keys;
  throw new CommandFailure(`${path} has no public key: get it with curl <service>/.well-known/jwks.json`);
}

async function ownKeys(files: EvidenceFiles): Promise<EvidenceTrust> {
  const text = textOf(files.get(KEYS_PART) ?? new Uint8Array(0));
  const keys = text.ok ? jsonPart(KEYS_PART, text.value, keysSchema) : text;
  const verifier = keys.ok ? await openVerifier(keys.value.checkpointKey) : null;
  if (!keys.ok || verifier === null)
    throw new CommandFailure(`the archive has no keys: ${KEYS_PART} is damaged`);
  return { jwks: jwksOf(keys.value.jwks.keys), checkpointKeys: [verifier] };
}

/** Verifies that the file has every record of the log that names the sender in the period. */
async function verifyComplete(
  files: EvidenceFiles,
  { manifest }: EvidenceVerification,
  paths: readonly string[],
): Promise<ExtraStep> {
  const { from, to, log, cut } = manifest!;
  const failed = (message: string): ExtraStep => ({ step: 'complete', ok: false, message });
  if (cut.includes(LOG_PART))
    return failed('the file has only some of the records of the period, and says so');
  const own = unwrap(recordsIn(LOG_PART, unwrap(textOf(files.get(LOG_PART)!))));
  const names = await namesIn(files);
  const last = log.start.n + log.size;
  let [read, named] = [0, 0];
  let first: string | null = null;
  const runs: Run[] = [];
  for (const path of paths) {
    for await (const line of linesOfFile(path)) {
      const record = recordIn(line);
      if (record === null) throw new CommandFailure(`${path} is not an export of the audit log`);
      if (record.n > last) continue;
      read++;
      first ??= record.at;
      extend(runs, record.n);
      const known = own.get(record.n);
      if (known !== undefined && auditLine(known) !== line)
        return failed(`record ${count(record.n)} of the file differs from that record in ${path}`);
      const isWanted = record.at >= from && record.at < to && names.has(record.subject);
      if (!isWanted) continue;
      named++;
      if (known === undefined)
        return failed(`the file lacks record ${count(record.n)}, which names the sender`);
    }
  }
  if (read === 0) return failed('the export has none of the records that the file could have');
  const gap = gapIn(runs, last);
  if (gap !== null)
    return failed(
      `the export lacks record ${count(gap)}, which may name the sender: export all records up to ${count(last)}`,
    );
  const begins = first !== null && first > from ? `; the export begins at ${first}` : '';
  return {
    ...{ step: 'complete', ok: true },
    message: `the file has all ${count(named)} records of the period that name the sender, of ${count(read)} in the export${begins}`,
  };
}

/** The first and last number of consecutive records. */
type Run = [first: number, last: number];

function extend(runs: Run[], n: number): void {
  const run = runs.at(-1);
  if (run !== undefined && n === run[1] + 1) run[1] = n;
  else runs.push([n, n]);
}

/**
 * Finds a gap in the records. Files may come in any order, and overlap.
 * @param last number of the last record of the log when the evidence file was made
 * @returns the first record after the beginning of the smallest run that is in no run; null if there is none
 */
function gapIn(runs: readonly Run[], last: number): number | null {
  const sorted = runs.toSorted((a, b) => a[0] - b[0]);
  let next = sorted[0]![0];
  for (const run of sorted) {
    if (run[0] > next) return next;
    next = Math.max(next, run[1] + 1);
  }
  return next > last ? null : next;
}

async function namesIn(files: EvidenceFiles): Promise<Set<string>> {
  const { numbers, sources } = subjectsOf(files);
  return new Set([
    ...numbers.flatMap(({ keyed }) => keyed.map(({ name }) => name)),
    ...sources.map(({ name }) => name),
  ]);
}

function subjectsOf(files: EvidenceFiles): v.InferOutput<typeof subjectsSchema> {
  return unwrap(jsonPart(SUBJECTS_PART, unwrap(textOf(files.get(SUBJECTS_PART)!)), subjectsSchema));
}

/** Verifies that LIST_KEY gives the numbers the names that the file states. */
async function verifyNames(files: EvidenceFiles): Promise<ExtraStep> {
  const ring = await listKeyRing();
  let compared = 0;
  for (const { number, keyed } of subjectsOf(files).numbers) {
    const party = parseListed(number);
    for (const { keyId, name } of keyed) {
      const keys = ring.of(keyId);
      if (keys === null || party.kind !== 'number') continue;
      compared++;
      if (keyedNumber(party.n, keys) !== name) {
        const prefix = prefixOf(party.n);
        return {
          step: 'listKey',
          ok: false,
          message: `a number with prefix ${prefix} has a different name under ${keyId}`,
        };
      }
    }
  }
  const none = 'no number of the file has a name under this LIST_KEY: LIST_KEY has been rotated since';
  return compared === 0
    ? { step: 'listKey', ok: false, message: none }
    : {
        step: 'listKey',
        ok: true,
        message: `with LIST_KEY, the numbers get the names that the file states (${count(compared)} compared)`,
      };
}

function formatSteps(
  { steps, manifest }: EvidenceVerification,
  extra: readonly ExtraStep[],
  isOk: boolean,
  isAnySigner: boolean,
): Report {
  const all: readonly Step[] = [...steps, ...extra];
  const width = Math.max(...all.map(({ step }) => step.length));
  const lines = all.map(({ step, ok, message }) => {
    const mark = ok === null ? '-' : ok ? styleText('green', '✓') : styleText('red', '✗');
    return `${mark} ${step.padEnd(width)}  ${message}`;
  });
  const end = isOk ? [summaryOf(manifest!)] : [];
  const note =
    isAnySigner && isOk ? ['the signer is not verified: the keys come from the archive itself'] : [];
  const text = [...lines, ...end, ...note].map((line) => `${line}\n`).join('');
  return [text, { ok: isOk, signer: isAnySigner ? 'archive' : 'given', steps: all, manifest }];
}

function summaryOf({ sender, from, to, mock, cut }: EvidenceManifest): string {
  const rest = cut.length === 0 ? '' : `; incomplete parts: ${cut.join(', ')}`;
  return `${mock ? 'for tests only: ' : ''}evidence about ${Object.values(sender)[0]}, from ${from} to ${to}${rest}`;
}
