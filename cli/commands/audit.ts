/** `numgate audit`: export, verify and trim the log; its checkpoints, and the key that verifies them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { StatusInfo } from '../../shared/admin/status.ts';
import type { AuditTrimmed } from '../../shared/admin/trim-audit.ts';
import type { KnownRecord } from '../../shared/audit.ts';
import type { CheckpointInfo } from '../../shared/evidence.ts';
import { AUDIT_KEPT_MS, PAGE_MAX } from '../../shared/limits/control.ts';
import { newSignerKey } from '../../shared/signed-note.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report, writeLine } from '../terminal/output.ts';
import { styleText } from '../terminal/visible.ts';
import { type ChainVerification, formatAnchors, verifyRegistrations, verifyText } from './audit-chains.ts';
import { CheckpointVerifier, openKeys } from './audit-checkpoints.ts';
import { auditLines, linesOfFile } from './audit-lines.ts';
import { trimmedIn, type Verification, verifyAudit, verifyFile, verifyService } from './audit-verify.ts';
import { examples, requireReason, wholeNumber } from './options.ts';

interface VerifyOptions {
  readonly registrations?: string;
  readonly text?: true;
  readonly after: number;
  readonly known?: KnownRecord;
  readonly checkpoint?: string;
  readonly key: readonly string[];
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('export, verify and trim the audit log');

  audit
    .command('export')
    .description('write the audit log to standard output as NDJSON')
    .option('--after <n>', 'only records after record n', wholeNumber, 0)
    .addHelpText('after', examples('audit export > audit.ndjson'))
    .action(async ({ after }: { after: number }) => {
      for await (const line of auditLines(adminOfEnvironment(), after)) await writeLine(line);
    });

  audit
    .command('verify')
    .description('verify the hash chain of files or of the service, and show the first wrong record')
    .argument('[files...]', 'files from audit export, in order (default: the log of the service)')
    .option('--after <n>', 'start after this record, and trust the records before it', wholeNumber, 0)
    .option(
      '--known <n:hash>',
      'record that you noted elsewhere, at or after --after: it must have this hash',
      parseKnown,
    )
    .option(
      '--checkpoint <file>',
      'checkpoints that somebody kept: the log must begin with the records that they cover',
    )
    .option(
      '--key <key>',
      'key that signed the checkpoints, as audit key prints it (repeatable)',
      collect,
      [],
    )
    .addOption(
      new Option(
        '--registrations <organisation>',
        "verify the audit chain of an organisation's registered senders, and compare it with the audit log",
      ).conflicts(['checkpoint', 'key']),
    )
    .addOption(
      new Option(
        '--text',
        'verify the audit chain of text releases and campaigns, and compare it with the audit log',
      ).conflicts(['checkpoint', 'key', 'registrations']),
    )
    .addHelpText(
      'after',
      examples(
        'audit verify audit.ndjson --known 1200:9f2c…',
        'audit verify --registrations acme',
        'audit verify --text',
        'audit verify --checkpoint checkpoints.txt --key numgate.example+1a2b3c4d+ATx…',
      ),
    )
    .action(async (files: string[], options: VerifyOptions) => {
      const { after, known, checkpoint, key, registrations, text } = options;
      if (registrations !== undefined)
        return printChain(files, options, '--registrations', (admin, settings) =>
          verifyRegistrations(admin, registrations, settings),
        );
      if (text === true) return printChain(files, options, '--text', verifyText);
      if (key.length > 0 && checkpoint === undefined)
        throw new CommandFailure('--key is for checkpoints: add --checkpoint <file>', 2);
      const keys = await openKeys('--key', key);
      const settings = {
        ...{ after, known: known === undefined ? [] : [known] },
        ...(checkpoint !== undefined && { checkpoints: await CheckpointVerifier.open(checkpoint, keys) }),
      };
      const result = await (files.length === 0
        ? verifyService(adminOfEnvironment(), settings)
        : verifyFile(files, settings));
      print(...formatVerification(result));
      const isWrong = result.checkpoints?.some(({ problem }) => problem !== null) === true;
      if (result.broken !== null || isWrong) throw new CommandFailure('audit log verification failed');
    });

  audit
    .command('checkpoints')
    .description('write the checkpoints that the service has kept to standard output')
    .addHelpText('after', examples('audit checkpoints > checkpoints.txt'))
    .action(async () => {
      const notes = await checkpointsOf(adminOfEnvironment());
      const none = 'the service has made no checkpoint yet\n';
      print(notes.length === 0 ? none : notes.map(({ checkpoint }) => checkpoint).join('\n'), {
        checkpoints: notes,
      });
    });

  audit
    .command('key')
    .description('print the key that verifies the checkpoints of the service')
    .option('--new <name>', 'make a private key for a log with this name, such as numgate.example/log')
    .addHelpText('after', examples('audit key', 'audit key --new numgate.example/log > checkpoint.key'))
    .action(async ({ new: name }: { new?: string }) => {
      const key = await (name === undefined ? keyOf(adminOfEnvironment()) : makeKey(name));
      print(`${key}\n`, { key });
    });

  requireReason(audit.command('trim'))
    .description('remove exported records older than a week from the service (requires the token root)')
    .argument('<file>', 'a file from audit export; it is verified first, and is the only copy afterwards')
    .addHelpText('after', examples("audit trim audit.ndjson --reason 'kept in the archive of 2026'"))
    .action(async (file: string, { reason }: { reason: string }) => {
      const done = await trimAudit(adminOfEnvironment(), file, reason);
      print(`the log now begins after record ${done.trimmedTo}: keep ${file}\n`, done);
    });
}

/** @param option name of the option that selects the chain */
async function printChain(
  files: readonly string[],
  { after, known }: VerifyOptions,
  option: string,
  verify: (
    admin: Admin,
    settings: { readonly after: number; readonly known: readonly KnownRecord[] },
  ) => Promise<ChainVerification>,
): Promise<void> {
  if (files.length > 0) throw new CommandFailure(`${option} verifies the service: do not name files`, 2);
  const settings = { after, known: known === undefined ? [] : [known] };
  const verified = await verify(adminOfEnvironment(), settings);
  const [report] = formatVerification(verified);
  print(report + formatAnchors(verified), verified);
  if (verified.broken !== null) throw new CommandFailure('audit log verification failed');
}

function parseKnown(text: string): KnownRecord {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('must be a record number and a hash, as audit verify prints them');
  return { n: Number(match[1]), hash: match[2]! };
}

function collect(text: string, earlier: readonly string[]): string[] {
  return [...earlier, text];
}

async function checkpointsOf(admin: Admin): Promise<CheckpointInfo[]> {
  const found: CheckpointInfo[] = [];
  for (;;) {
    const { text } = await admin.page('audit/checkpoints', {
      after: found.at(-1)?.size ?? 0,
      limit: PAGE_MAX,
    });
    if (text === '') return found;
    found.push(
      ...text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as CheckpointInfo),
    );
  }
}

async function keyOf(admin: Admin): Promise<string> {
  const { audit } = await admin.get<StatusInfo>('status');
  if (audit.checkpointKey) return audit.checkpointKey;
  throw new CommandFailure(
    'the service signs no checkpoints: make a key with audit key --new <name>, and set it as CHECKPOINT_KEY',
  );
}

async function makeKey(name: string): Promise<string> {
  const key = await newSignerKey(name);
  if (key === null) throw new CommandFailure('--new needs a name without spaces or plus signs', 2);
  return key;
}

function formatVerification(verification: Verification): Report {
  const { records, last, broken, trimmedTo, trimmedHash } = verification;
  const upTo = `${count(records)} records verified${records === 0 ? '' : `, up to ${last.n}:${last.hash}`}\n`;
  const known = trimmedHash === undefined ? '' : ` with --known ${trimmedTo}:${trimmedHash}`;
  const trimmed =
    trimmedTo === undefined
      ? ''
      : `records up to ${count(trimmedTo)} were trimmed: verify their export${known}\n`;
  const chain =
    broken === null
      ? styleText('green', upTo)
      : `${upTo}${styleText('red', `${broken.problem}: ${broken.message}`)}\n`;
  return [trimmed + chain + formatCheckpoints(verification), verification];
}

function formatCheckpoints({ checkpoints = [], uncovered = 0 }: Verification): string {
  const lines = checkpoints.map(({ line, size, problem, message }) => {
    const place = `checkpoint at line ${line}${size === null ? '' : `, ${count(size)} records`}`;
    return problem === null
      ? styleText('green', `${place}: ${message}`)
      : `${place}: ${styleText('red', `${problem}: ${message}`)}`;
  });
  if (checkpoints.some(({ problem, signed }) => problem === null && !signed))
    lines.push('signatures were not checked: pass --key to prove that the service made these checkpoints');
  if (uncovered > 0)
    lines.push(`no checkpoint covers the newest ${counted(uncovered, 'record')}: keep a later checkpoint`);
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * Removes the records of a file from the service, except records that are not old enough yet.
 * @throws CommandFailure if the file is not an intact log that starts where the log of the service starts
 */
export async function trimAudit(admin: Admin, path: string, reason: string): Promise<AuditTrimmed> {
  const { audit } = await admin.get<StatusInfo>('status');
  const { trimmedTo = 0 } = audit;
  const end = Date.now() - AUDIT_KEPT_MS;
  let isOld = true;
  let last: KnownRecord = { n: 0, hash: '' };
  const { broken } = await verifyAudit(linesOfFile(path), {
    ...{ from: path, after: trimmedTo, known: trimmedIn(audit) },
    onRecord: (record) => {
      isOld &&= Date.parse(record.at) <= end;
      if (isOld) last = record;
    },
  });
  if (broken !== null) throw new CommandFailure(`${path}: ${broken.problem}: ${broken.message}`);
  if (last.n <= trimmedTo) {
    const days = AUDIT_KEPT_MS / 86_400_000;
    throw new CommandFailure(`${path}: no record after record ${trimmedTo} is older than ${days} days`);
  }
  return admin.change('POST', 'audit/trim', { n: last.n, hash: last.hash, reason });
}
