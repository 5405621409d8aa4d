/**
 * `numgate review`: decides on the registrations that organisations have submitted. A reviewer claims a registration,
 * and then approves it, rejects it, or requests a change. A registration is named `<organisation>/<id>`.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { adminOfEnvironment } from '../admin.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { addReasonOption, examples, requireReason, wholeNumber } from './options.ts';
import { act, formatRegistrations, type Target } from './registrations.ts';

interface FieldReason {
  readonly field: string;
  readonly code: string;
  readonly detail: string;
  readonly help: string;
}

interface DecideOptions {
  readonly reason: string;
  readonly field?: readonly FieldReason[];
}

/** A registration in the queue. */
interface Queued {
  readonly organisation: string;
  readonly id: string;
  readonly state: string;
  readonly basis: string;
  readonly submittedAt: string;
  readonly claimedBy: string | null;
}

/** Actions without reasons by field. */
const SIMPLE = [
  ['claim', 'take a registration, so that no one else decides on it'],
  ['release', 'give a claimed registration back to the queue'],
  ['approve', 'approve a claimed registration: its clients may use the number within seconds'],
  ['resume', 'put a suspended registration back in force'],
] as const;

/** Actions whose reasons the sender must understand. */
const EXPLAINED = [
  ['reject', 'reject', 'reject a claimed registration', 'HOLDER_MISMATCH'],
  [
    'request-update',
    'requestUpdate',
    'return a claimed registration to its sender for a change',
    'PROOF_UNREADABLE',
  ],
  ['suspend', 'suspend', 'take an approved registration out of force now', 'NUMBER_MISUSED'],
] as const;

export function addReview(program: Command): void {
  const review = program.command('review').description('decide on the registrations of other organisations');

  review
    .command('queue')
    .description('list the registrations that wait for a decision, oldest first')
    .option('--limit <rows>', 'rows at most', wholeNumber, 100)
    .addHelpText('after', examples('review queue'))
    .action(async ({ limit }: { readonly limit: number }) => print(...formatQueue(await queued(limit))));

  for (const [action, description] of SIMPLE) {
    addReasonOption(addTarget(review.command(action)))
      .description(description)
      .addHelpText('after', examples(`review ${action} acme/17`))
      .action(async (targets: Target[], { reason }: DecideOptions) =>
        print(...formatRegistrations(await act(targets, action, { reason }))),
      );
  }
  for (const [name, action, description, code] of EXPLAINED) {
    requireReason(addTarget(review.command(name)))
      .description(description)
      .option(
        '--field <field:CODE:detail:help>',
        'what is wrong with a field, and what the sender can do (repeatable)',
        (text: string, others: readonly FieldReason[] | undefined) => [...(others ?? []), fieldReason(text)],
      )
      .addHelpText(
        'after',
        examples(
          `review ${name} acme/17 --reason "ticket 4711" --field "proofs:${code}:The scan is cut off:Send all pages"`,
        ),
      )
      .action(async (targets: Target[], { reason, field = [] }: DecideOptions) =>
        print(...formatRegistrations(await act(targets, action, { reason, reasons: field }))),
      );
  }
}

function addTarget(command: Command): Command {
  return command.argument(
    '<registrations...>',
    'such as acme/17',
    (text: string, others: readonly Target[] | undefined) => [...(others ?? []), targetOf(text)],
  );
}

function targetOf(text: string): Target {
  const [, organisation, id] = /^([a-z0-9][a-z0-9-]*)\/(\d{1,15})$/.exec(text) ?? [];
  if (organisation === undefined || id === undefined)
    throw new InvalidArgumentError('must be <organisation>/<id>, such as acme/17');
  return { organisation, id };
}

function fieldReason(text: string): FieldReason {
  const [field = '', code = '', detail = '', help = ''] = text.split(':').map((part) => part.trim());
  if ([field, code, detail, help].includes('') || text.split(':').length !== 4) {
    throw new InvalidArgumentError(
      'must be <field>:<CODE>:<detail>:<help>, such as proofs:PROOF_UNREADABLE:…:…',
    );
  }
  return { field, code, detail, help };
}

async function queued(limit: number): Promise<Queued[]> {
  const admin = adminOfEnvironment();
  const queue: Queued[] = [];
  let next: string | null = null;
  do {
    const page: { queue: Queued[]; next: string | null } = await admin.get('registrations/queue', {
      after: next,
      limit,
    });
    queue.push(...page.queue);
    next = page.next;
  } while (next !== null && queue.length < limit);
  return queue.slice(0, limit);
}

function formatQueue(queue: readonly Queued[]): Report {
  const rows = queue.map(({ organisation, id, basis, state, submittedAt, claimedBy }) => [
    ...[`${organisation}/${id}`, basis, state, submittedAt, claimedBy ?? ''],
  ]);
  const names = ['registration', 'basis', 'state', 'submitted', 'claimed by'];
  return [rows.length === 0 ? 'the queue is empty\n' : formatTable(names, rows), { queue }];
}
