/** `numgate approvals`: which kinds of change wait for a second person, and for how long. */
import { type Command, InvalidArgumentError } from 'commander';
import {
  APPROVAL_KINDS,
  type ApprovalKind,
  type Approvals,
  approvalsSchema,
} from '../../shared/proposals.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure, validate } from '../failure.ts';
import { print } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { commaList, examples, requireReason } from './options.ts';

const DESCRIPTIONS: Readonly<Record<(typeof APPROVAL_KINDS)[number], string>> = {
  guardOverride: 'a change that overrides a guard',
  actForOthers: 'a change to lists or entries of another authority',
  policy: 'a change to the gateway policy',
  guards: 'a change to the guards',
  fullShare: 'a promotion to all data centres',
  tokens: 'a new or changed admin token, or a change to what an organisation lets its tokens do',
  signingKeys: 'a new key in RELEASE_PUBLIC_KEYS',
  qualifications: 'a change to the qualification state of an organisation',
  rules: 'a change to a rule that turns reports into blocks',
};

interface SetOptions {
  readonly kinds?: readonly string[];
  readonly waitSeconds?: number;
  readonly reason: string;
}

export function addApprovals(program: Command): void {
  const approvals = program
    .command('approvals')
    .description('show or set which kinds of change wait for a second person');

  approvals
    .command('show')
    .description('show the kinds of change, and which of them wait')
    .addHelpText('after', examples('approvals show'))
    .action(async () => printApprovals(await adminOfEnvironment().get<Approvals>('approvals')));

  requireReason(approvals.command('set'))
    .description('set which kinds of change wait; removing a kind needs a second person')
    .option('--kinds <list>', `all kinds of change that wait (${APPROVAL_KINDS.join(', ')}), or none`, kinds)
    .option('--wait-seconds <seconds>', 'how long a proposal waits', Number)
    .addHelpText(
      'after',
      examples('approvals set --kinds tokens,guards,policy --reason "two people for every setting"'),
    )
    .action(async ({ reason, ...changed }: SetOptions) => {
      if (changed.kinds === undefined && changed.waitSeconds === undefined)
        throw new CommandFailure('give --kinds or --wait-seconds: see --help', 2);
      const admin = adminOfEnvironment();
      const given = { ...(await admin.get<Approvals>('approvals')), ...changed };
      const valid = validate(approvalsSchema, given, { whole: 'the approvals' });
      printApprovals(await admin.change<Approvals>('PUT', 'approvals', { approvals: valid, reason }));
    });
}

function kinds(text: string): string[] {
  if (text === 'none') return [];
  const given = commaList(text);
  const unknown = given.find((name) => !APPROVAL_KINDS.some((kind) => kind === name));
  if (unknown === undefined) return given;
  throw new InvalidArgumentError(`Allowed choices are ${APPROVAL_KINDS.join(', ')}, or none.`);
}

function printApprovals(approvals: Approvals): void {
  const waits = (kind: ApprovalKind): boolean => approvals.kinds.some((each) => each === kind);
  const rows = APPROVAL_KINDS.map((kind) => [kind, waits(kind) ? 'waits' : '', DESCRIPTIONS[kind]]);
  const limit = `a proposal waits for ${approvals.waitSeconds} seconds\n`;
  print(formatTable(['kind', '', 'change'], rows) + limit, approvals);
}
