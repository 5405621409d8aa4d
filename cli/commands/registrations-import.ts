/**
 * `numgate registrations import` and `export`. An import first lets the service check every line; only then does it store them,
 * piece by piece. Each piece has a name, so a repeated command stores nothing twice.
 */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { csvLine } from '../../shared/csv.ts';
import { withGuard } from '../../shared/senders/registration-csv.ts';
import {
  IMPORT_RESULTS,
  type ImportDone,
  type ImportedRow,
  type ImportResult,
  REFERENCE_REPEATED,
  repeatedReason,
} from '../../shared/senders/registration-import.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { type Piece, type RegistrationFile, readRegistrations } from '../import/registration-file.ts';
import { UploadJournal } from '../publish/upload-journal.ts';
import { count, counted } from '../terminal/figures.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { note, print, type Report, write } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { visible } from '../terminal/visible.ts';
import { examples } from './options.ts';
import { addOrganisationOption, type OrganisationOption, registrationsOf } from './organisation-option.ts';

interface ImportOptions extends OrganisationOption {
  readonly submit: boolean;
  readonly dryRun: boolean;
  readonly skipInvalid: boolean;
  readonly report?: string;
}

export function addImport(registrations: Command): void {
  addOrganisationOption(registrations.command('import'))
    .description('create and change registrations from a CSV; nothing is stored if a line is invalid')
    .argument('<file>', '.csv in UTF-8, which may be gzipped; the first line names the columns')
    .option('--submit', 'submit the registrations for review', false)
    .option('--dry-run', 'check every line and show what would happen, without storing anything', false)
    .option('--skip-invalid', 'store the valid lines, and leave out the others', false)
    .option('--report <file>', 'write a CSV with the result of each line')
    .addHelpText(
      'after',
      `
Columns: reference, number, basis, holderKind, holder, clients, proofs, expires. A line with a known reference
changes that registration. clients are separated by spaces. proofs are separated by ; and each is
kind:sha256:expires:reference. A date means the start of that day in Korea.
If the command stops, run it again: it continues, and stores no line twice.
Exit code 1: a line is invalid, and nothing was stored. With --skip-invalid, the code is 0 even if lines were left out:
the report and --json ("rejected") name them.`,
    )
    .addHelpText(
      'after',
      examples(
        'registrations import senders.csv --organisation acme --dry-run',
        'registrations import senders.csv --organisation acme --submit --report report.csv',
      ),
    )
    .action(async (path: string, options: ImportOptions) => {
      // Write the report now: an unwritable file would otherwise be noticed only after everything is stored.
      if (options.report !== undefined) writeReport(options.report, []);
      const { rows, isStored } = await importFile(path, options, adminOfEnvironment());
      if (options.report !== undefined) writeReport(options.report, rows);
      const report = formatImport(rows, isStored, options);
      const isRefused = rows.some(isRejected) && (options.dryRun || !options.skipInvalid);
      if (!isRefused) return print(...report);
      const extras = { code: 'REGISTRATIONS_INVALID', ...report[1] };
      throw new CommandFailure(`${report[0].trimEnd()}${refusalHint(options, isStored)}`, 1, extras);
    });
}

interface Imported {
  /** The result of each line, in order. */
  readonly rows: readonly ImportedRow[];
  /** Whether the lines that were not rejected are stored. */
  readonly isStored: boolean;
}

async function importFile(path: string, options: ImportOptions, admin: Admin): Promise<Imported> {
  const { organisation, submit, dryRun, skipInvalid } = options;
  const file = await readRegistrations(path);
  const query = { ...(submit ? { submit: 'true' } : {}) };
  const target = `${registrationsOf(organisation)}/import`;
  const journal = new UploadJournal([
    admin.url,
    organisation,
    String(submit),
    String(skipInvalid),
    file.sha256,
  ]);
  let begun = dryRun ? null : journal.read();
  if (begun === null) {
    const checked = await sendPieces('checking', file, new Set(), (piece, csv) =>
      // A dry run changes nothing, so no piece needs a name.
      admin.upload<ImportDone>(
        target,
        { ...query, dryRun: 'true', line: piece.firstLine },
        csv,
        crypto.randomUUID(),
      ),
    );
    const rows = withRepeats(checked);
    const rejected = rows.filter(isRejected);
    if (dryRun || (rejected.length > 0 && !skipInvalid)) return { rows, isStored: false };
    begun = journal.begin(rejected);
  } else note('continuing the interrupted upload\n');
  const { upload, rejected } = begun;
  const stopNotice = onInterrupt(() => 'to continue, run the same command again');
  try {
    const stored = await sendPieces(
      'storing',
      file,
      new Set(rejected.map(({ line }) => line)),
      (piece, csv) =>
        admin.upload<ImportDone>(
          target,
          { ...query, skipInvalid: 'true', line: piece.firstLine },
          csv,
          `${upload}:${piece.firstLine}`,
        ),
    );
    journal.end();
    return { rows: [...stored, ...rejected].sort((a, b) => a.line - b.line), isStored: true };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const message = `${error.message}\nsome lines may have been stored; to continue, run the same command again`;
    throw new CommandFailure(message, error.exitCode, error.extras);
  } finally {
    stopNotice();
  }
}

async function sendPieces(
  title: string,
  { header, pieces, rows: total }: RegistrationFile,
  leftOut: ReadonlySet<number>,
  send: (piece: Piece, csv: string) => Promise<ImportDone>,
): Promise<ImportedRow[]> {
  const progress = startProgress(title);
  const done: ImportedRow[] = [];
  try {
    for (const piece of pieces) {
      // A blank line in place of a left-out line keeps the numbers of the other lines.
      const lines = piece.lines.map((line, index) => (leftOut.has(piece.firstLine + index) ? '' : line));
      const { rows } = await send(piece, [header, ...lines, ''].join('\n'));
      for (const row of rows) done.push(row);
      progress.update(done.length / total, `${count(done.length)} of ${count(total)}`);
    }
  } finally {
    progress.stop();
  }
  return done;
}

/** Also rejects lines that repeat the reference of a line in an earlier piece, because it is unclear which line is meant. */
function withRepeats(rows: readonly ImportedRow[]): ImportedRow[] {
  const lines = new Map<string, number>();
  return rows.map((row) => {
    const first = row.reference === null ? undefined : lines.get(row.reference);
    if (row.reference !== null && first === undefined) lines.set(row.reference, row.line);
    if (first === undefined || row.reasons.some(({ code }) => code === REFERENCE_REPEATED)) return row;
    const reasons = [...row.reasons, repeatedReason(first)];
    return { ...row, result: 'rejected', id: null, state: null, reasons };
  });
}

function isRejected({ result }: ImportedRow): boolean {
  return result === 'rejected';
}

function refusalHint({ dryRun, report }: ImportOptions, isStored: boolean): string {
  const hints = [
    // A registration may change between the check and the upload, for example because a reviewer claims it.
    ...(isStored ? ['the other lines are stored; correct these and run the command again'] : []),
    ...(dryRun || isStored ? [] : ['to store the other lines: --skip-invalid']),
    ...(report === undefined ? ['to see every line: --report <file>'] : []),
  ];
  return hints.map((hint) => `\n${hint}`).join('');
}

/** Maximum number of rejected lines that are printed. The report has all. */
const REJECTED_SHOWN = 20;

interface ImportSummary extends Readonly<Record<ImportResult, number>> {
  /** Whether the lines that were not rejected are stored. */
  readonly stored: boolean;
  readonly lines: number;
  readonly rejectedLines: readonly ImportedRow[];
}

function formatImport(
  rows: readonly ImportedRow[],
  isStored: boolean,
  { dryRun }: ImportOptions,
): Report<ImportSummary> {
  const counts = Object.fromEntries(
    IMPORT_RESULTS.map((result) => [result, rows.filter((row) => row.result === result).length]),
  ) as Record<ImportResult, number>;
  const rejected = rows.filter(isRejected);
  const shown = rejected.slice(0, REJECTED_SHOWN);
  const all = counted(rows.length, 'line');
  const parts = IMPORT_RESULTS.map((result) => `${count(counts[result])} ${result}`).join(', ');
  const rest = rejected.length - shown.length;
  const lines = [
    isStored
      ? `${all}: ${parts}`
      : `nothing was stored${dryRun ? ' (dry run)' : ''}; an upload of the ${all} would give: ${parts}`,
    ...shown.flatMap(({ line, reasons }) =>
      reasons.map(({ code, detail, help }) => `  line ${line}: ${code}: ${visible(`${detail}; ${help}`)}`),
    ),
    ...(rest === 0 ? [] : [`  and ${counted(rest, 'more rejected line')}`]),
  ];
  const value = { stored: isStored, lines: rows.length, ...counts, rejectedLines: shown };
  return [`${lines.join('\n')}\n`, value];
}

const REPORT_COLUMNS = ['line', 'reference', 'result', 'id', 'state', 'field', 'code', 'detail', 'help'];

/** Writes a line for each line of the file, or one for each of its reasons if it has several. */
function writeReport(path: string, rows: readonly ImportedRow[]): void {
  const lines = rows.flatMap(({ line, reference, result, id, state, reasons }) => {
    const cells = [String(line), withGuard(reference ?? ''), result, id ?? '', state ?? ''];
    if (reasons.length === 0) return [csvLine([...cells, '', '', '', ''])];
    return reasons.map(({ field, code, detail, help }) => csvLine([...cells, field, code, detail, help]));
  });
  try {
    writeFileSync(path, `${[REPORT_COLUMNS.join(','), ...lines].join('\n')}\n`, { mode: 0o600 });
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}

export function addExport(registrations: Command): void {
  addOrganisationOption(registrations.command('export'))
    .description('write all registrations to standard output as CSV, which import can read')
    .addHelpText('after', examples('registrations export --organisation acme > senders.csv'))
    .action(async ({ organisation }: OrganisationOption) => {
      const admin = adminOfEnvironment();
      for (let after: string | null = null; ; ) {
        const page = await admin.page(`${registrationsOf(organisation)}/export`, { after });
        if (!write(page.text)) await new Promise((resolve) => process.stdout.once('drain', resolve));
        if (page.next === null) return;
        after = page.next;
      }
    });
}
