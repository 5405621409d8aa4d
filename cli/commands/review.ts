/**
 * `numgate review`: decides on the registrations that organisations have submitted. A reviewer claims a registration,
 * and then approves it, rejects it, or requests a change. A registration is named `<organisation>/<id>`.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { REGISTRATIONS_MAX } from '../../shared/limits/registrations.ts';
import { NUMBER_EVENTS, type NumberEvent, type NumberEventDone } from '../../shared/senders/number-event.ts';
import type { RegistrationReason, ReviewQueue } from '../../shared/senders/registration.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { addReasonOption, examples, positiveNumber, requireReason, wholeNumber } from './options.ts';
import { targetOf } from './organisation-option.ts';
import { act, given } from './registration-actions.ts';
import { numberOf, time } from './registration-options.ts';
import { listed } from './registrations-reads.ts';
import { WAIT_SECONDS } from './watch.ts';

interface DecideOptions {
  readonly reason: string;
  readonly field?: readonly RegistrationReason[];
  readonly wait?: boolean;
}

interface QueueOptions {
  readonly organisation?: string | null;
  readonly limit: number;
}

interface NumberEventOptions {
  readonly event?: NumberEvent;
  readonly at?: string;
  readonly reason: string;
}

/** Actions without reasons by field. */
const SIMPLE = [
  ['claim', 'claim a registration, so that nobody else can decide on it'],
  ['release', 'return a claimed registration to the queue'],
  ['approve', 'approve a claimed registration: its clients may use the number within seconds'],
  ['resume', 'put a suspended registration back in force'],
] as const;

/** Actions whose reasons the sender must understand. */
const EXPLAINED = [
  [
    'reject',
    'reject',
    'reject a claimed registration',
    'holder:HOLDER_MISMATCH:The line is not yours:Register a line of your own',
  ],
  [
    'request-update',
    'requestUpdate',
    'return a claimed registration to its sender for a change',
    'proofs:PROOF_UNREADABLE:The second page is cut off:Scan all pages',
  ],
  [
    'suspend',
    'suspend',
    'take an approved registration out of force now',
    'number:NUMBER_MISUSED:Three complaints today:Answer the complaints',
  ],
] as const;

export function addReview(program: Command): void {
  const review = program.command('review').description('decide on the registrations of other organisations');

  review
    .command('queue')
    .description('list the registrations that wait for a decision, oldest first')
    .option('--organisation <id>', 'only registrations of this organisation')
    .option('--limit <rows>', 'maximum number of rows', positiveNumber, 100)
    .addHelpText('after', examples('review queue --organisation acme'))
    .action(async (options: QueueOptions) => print(...formatQueue(await queued(options))));

  addReasonOption(review.command('number-event'))
    .description('report that a registered number was terminated or ported to another carrier')
    .argument('<number>', '- reads it from standard input')
    .addOption(new Option('--event <event>', 'what happened (required)').choices(NUMBER_EVENTS))
    .option('--at <time>', 'when it happened: a date (in Korea), or a time in RFC 3339 (default: now)', time)
    .addHelpText(
      'after',
      `
Every registration of the number gets an event. If a list or a live block says that the number is terminated, the
registration is suspended.`,
    )
    .addHelpText('after', examples('review number-event - --event ported --at 2026-11-20'))
    .action(async (word: string, { event, at, reason }: NumberEventOptions) => {
      if (event === undefined) throw new CommandFailure("required option '--event <event>' not specified", 2);
      const body = { number: await numberOf(word), event, ...(at === undefined ? {} : { at }), reason };
      const path = 'registrations/number-events';
      const done = await adminOfEnvironment().change<NumberEventDone>('POST', path, body);
      print(...formatAffected(done, event));
    });

  review
    .command('suspended')
    .description('list the registrations that a block of terminated numbers has suspended, one per line')
    .argument('<operation>', 'operation number of the block', wholeNumber)
    .addHelpText(
      'after',
      examples('review suspended 4711 | npx numgate review resume - --reason "a mistake"'),
    )
    .action(async (operation: number) => {
      const { organisations } = await adminOfEnvironment().get<{ organisations: { id: string }[] }>(
        'organisations',
      );
      const names: string[] = [];
      for (const { id: organisation } of organisations) {
        const { registrations } = await listed({ organisation, operation, limit: REGISTRATIONS_MAX });
        for (const { id } of registrations) names.push(`${organisation}/${id}`);
      }
      print(names.map((name) => `${name}\n`).join(''), { registrations: names });
    });

  for (const [action, description] of SIMPLE) {
    addWait(addReasonOption(addTarget(review.command(action))), action)
      .description(description)
      .addHelpText('after', examples(`review ${action} acme/17`))
      .action(async (words: string[], { reason, wait }: DecideOptions) =>
        act(await targetsOf(words), action, { reason }, wait),
      );
  }
  for (const [name, action, description, example] of EXPLAINED) {
    addWait(requireReason(addTarget(review.command(name))), action)
      .description(description)
      .option(
        '--field <field:CODE:detail:help>',
        'what is wrong with a field, and what the sender can do (required; repeatable)',
        (text: string, others: readonly RegistrationReason[] | undefined) => [
          ...(others ?? []),
          fieldReason(text),
        ],
      )
      .addHelpText('after', examples(`review ${name} acme/17 --reason "ticket 4711" --field "${example}"`))
      .action(async (words: string[], { reason, field, wait }: DecideOptions) => {
        if (field === undefined) {
          const message =
            "required option '--field <field:CODE:detail:help>' not specified: write what is wrong, such as";
          throw new CommandFailure(`${message}\n  --field "${example}"`, 2);
        }
        await act(await targetsOf(words), action, { reason, reasons: field }, wait);
      });
  }
}

/** Decisions that change what is in force. */
const PUBLISHED: readonly string[] = ['approve', 'suspend', 'resume'];

function addWait(command: Command, action: string): Command {
  if (!PUBLISHED.includes(action)) return command;
  return command.option('--wait', `wait until the decision is published (at most ${WAIT_SECONDS} s)`, false);
}

function addTarget(command: Command): Command {
  return command.argument('<registrations...>', 'such as acme/17; - reads them from standard input');
}

/** Reviewers decide on all organisations, so each name must include its organisation. */
function targetsOf(words: readonly string[]) {
  return given(words, (word) => targetOf(word));
}

function fieldReason(text: string): RegistrationReason {
  const [field = '', code = '', detail = '', help = ''] = text.split(':').map((part) => part.trim());
  if ([field, code, detail, help].includes('') || text.split(':').length !== 4) {
    throw new InvalidArgumentError(
      'must be <field>:<CODE>:<detail>:<help>, such as proofs:PROOF_UNREADABLE:…:…',
    );
  }
  return { field, code, detail, help };
}

async function queued({ organisation = null, limit }: QueueOptions): Promise<ReviewQueue> {
  const admin = adminOfEnvironment();
  const registrations: ReviewQueue['registrations'][number][] = [];
  let next: string | null = null;
  do {
    const page: ReviewQueue = await admin.get('registrations/queue', { organisation, after: next, limit });
    registrations.push(...page.registrations);
    next = page.next;
  } while (next !== null && registrations.length < limit);
  return { registrations: registrations.slice(0, limit), next };
}

function formatQueue({ registrations, next }: ReviewQueue): Report {
  const rows = registrations.map(({ organisation, id, basis, state, submittedAt, claimedBy }) => [
    ...[`${organisation}/${id}`, basis, state, submittedAt, claimedBy ?? ''],
  ]);
  const names = ['registration', 'basis', 'state', 'submitted', 'claimed by'];
  const more = next === null ? '' : 'more registrations are waiting: raise --limit to see them\n';
  const text = rows.length === 0 ? 'the queue is empty\n' : formatTable(names, rows) + more;
  return [text, { registrations, next }];
}

function formatAffected({ registrations }: NumberEventDone, event: NumberEvent): Report<NumberEventDone> {
  const lines = registrations.map(({ organisation, id, state }) => {
    const isSuspended = state === 'suspended';
    const what = isSuspended ? 'its number is listed as terminated' : EFFECTS[event];
    return `  ${organisation}/${id} ${isSuspended ? 'is suspended' : `stays ${state}`}: ${what}\n`;
  });
  const count = `${counted(lines.length, 'registration')} in force with this number:\n`;
  const text = lines.length === 0 ? 'no registration in force has this number\n' : count + lines.join('');
  return [text, { registrations }];
}

/** The effect of a number event on a registration in force. */
const EFFECTS: Readonly<Record<NumberEvent, string>> = {
  ported: 'its sender must send a certificate from the new carrier',
  terminated: 'not all of its numbers are listed as terminated',
};
