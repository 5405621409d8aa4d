/**
 * `numgate rule-blocks`: the blocks that rules made from reports. A person decides on proposals, confirms blocks and lifts
 * them.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import {
  RULE_BLOCK_CAUSES,
  type RuleBlockAction,
  type RuleBlockCause,
  type RuleBlockDone,
  type RuleBlockInfo,
  type RuleBlockPage,
} from '../../shared/admin/rule-blocks.ts';
import { BLOCK_STATES, type BlockState } from '../../shared/reports/stages.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, hasCode } from '../failure.ts';
import { counted } from '../terminal/figures.ts';
import { print, type Report, writeLine } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { styleText } from '../terminal/visible.ts';
import { auditLines } from './audit-lines.ts';
import { examples, positiveNumber, requireReason, wholeNumber } from './options.ts';
import { pagesOf } from './pages.ts';
import { numberOf } from './registration-options.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

/** Pause between two requests for new blocks, in ms. */
const WATCH_PAUSE_MS = 2_000;

interface Filter {
  readonly state?: BlockState;
  readonly cause?: RuleBlockCause;
  readonly rule?: string;
}

interface ListOptions extends Filter {
  readonly open?: true;
  readonly newest?: true;
  readonly limit: number;
}

type ActOptions = Partial<WaitOptions> & { readonly reason: string };

const ACTIONS: readonly (readonly [action: RuleBlockAction, description: string, example: string])[] = [
  [
    'approve',
    'approve a proposal: the number is blocked provisionally; a proposal for a range blocks all its members',
    'rule-blocks approve 17 --reason "called the number, it is a scam" --wait',
  ],
  [
    'confirm',
    'confirm a provisional block: it stays for the longer time of its rule, and no longer depends only on its reports',
    'rule-blocks confirm 17 18 --reason "ticket 4711"',
  ],
  [
    'lift',
    'lift a block at once; the reports so far no longer count',
    'rule-blocks lift 17 --reason "the number of a hospital" --wait',
  ],
  ['dismiss', 'decline a proposal', 'rule-blocks dismiss 17 --reason "a bank"'],
];

export function addRuleBlocks(program: Command): void {
  const blocks = program
    .command('rule-blocks')
    .description('decide on the blocks that rules made from reports (scope: reports)');

  addFilter(blocks.command('list'))
    .description('list rule blocks in the order in which rules decided')
    .addOption(
      new Option('--open', 'only rule blocks that wait for a person or are in force').conflicts('state'),
    )
    .option('--newest', 'list the newest first')
    .option('--limit <rows>', 'maximum number of rows', positiveNumber, 200)
    .addHelpText('after', examples('rule-blocks list --state proposed', 'rule-blocks list --open --newest'))
    .action(async ({ limit, open, newest, ...filter }: ListOptions) => {
      const admin = adminOfEnvironment();
      const query = {
        ...filter,
        ...(open === true ? { state: 'open' } : {}),
        ...(newest === true ? { order: 'newest' } : {}),
      };
      const { items, next } = await pagesOf<RuleBlockInfo>(admin, 'rule-blocks', 'ruleBlocks', limit, query);
      if (items.length === 0 && filter.rule !== undefined) await checkRule(admin, filter.rule);
      print(...formatBlocks(items, next));
    });

  blocks
    .command('show')
    .description('show a rule block, with its grounds, the counter-evidence, and the members of a range')
    .argument('<id>', 'such as 17', wholeNumber)
    .addHelpText('after', examples('rule-blocks show 17'))
    .action(async (id: number) =>
      print(...formatBlock(await adminOfEnvironment().get<RuleBlockInfo>(`rule-blocks/${id}`))),
    );

  blocks
    .command('find')
    .description('find the rule blocks of a number or a sender ID, the newest first')
    .argument('<number or sender>', '- reads it from standard input')
    .addHelpText('after', examples('rule-blocks find -'))
    .action(async (word: string) => {
      const from = await numberOf(word);
      const { ruleBlocks } = await adminOfEnvironment().find<Pick<RuleBlockPage, 'ruleBlocks'>>(
        'rule-blocks/find',
        { from },
      );
      print(...formatBlocks(ruleBlocks, null));
    });

  for (const [action, description, example] of ACTIONS) {
    const command = requireReason(blocks.command(action));
    (action === 'dismiss' ? command : addWaitOptions(command))
      .description(description)
      .argument('<ids...>', 'such as 17', (text: string, before: readonly number[] | undefined) => [
        ...(before ?? []),
        wholeNumber(text),
      ])
      .addHelpText('after', examples(example))
      .action(async (ids: readonly number[], options: ActOptions) => act(ids, action, options));
  }

  addFilter(blocks.command('watch'))
    .description('print rule blocks as rules decide, until Ctrl-C')
    .addHelpText('after', examples('rule-blocks watch --state proposed'))
    .action(async (filter: Filter) => watch(adminOfEnvironment(), filter));

  blocks
    .command('audit')
    .description(
      'write the audit chain of rule blocks and partners to standard output, as input for audit verify',
    )
    .option('--after <n>', 'only records after record n', wholeNumber, 0)
    .addHelpText('after', examples('rule-blocks audit > rule-blocks.ndjson'))
    .action(async ({ after }: { readonly after: number }) => {
      for await (const line of auditLines(adminOfEnvironment(), after, 'rule-blocks/audit'))
        await writeLine(line);
    });
}

/** @throws CommandFailure if there has never been such a rule. Ignores other errors: not every token may read rules. */
async function checkRule(admin: Admin, id: string): Promise<void> {
  await admin.get(`rules/${encodeURIComponent(id)}/versions`).catch((error: unknown) => {
    if (hasCode(error, 'RULE_UNKNOWN'))
      throw new CommandFailure(`there is no rule ${id}: see npx numgate rules list`, 1);
  });
}

function addFilter(command: Command): Command {
  return command
    .addOption(new Option('--state <state>', 'only rule blocks in this state').choices(BLOCK_STATES))
    .addOption(
      new Option('--cause <cause>', 'only rule blocks that were proposed, or ended, for this cause').choices(
        RULE_BLOCK_CAUSES,
      ),
    )
    .option('--rule <id>', 'only rule blocks of this rule');
}

async function act(
  ids: readonly number[],
  action: RuleBlockAction,
  { reason, wait, url }: ActOptions,
): Promise<void> {
  const admin = adminOfEnvironment();
  const done: RuleBlockInfo[] = [];
  for (const id of ids)
    done.push(await admin.change<RuleBlockInfo>('POST', `rule-blocks/${id}/${action}`, { reason }));
  const text = done.map(formatDone).join('');
  const seq = Math.max(0, ...done.map((block) => block.seq ?? 0));
  if (seq === 0 || wait === undefined || url === undefined) print(text, { ruleBlocks: done });
  else await printChange([text, { ruleBlocks: done, seq }], { wait, url });
}

function formatDone({ id, state, until, seq, pending }: RuleBlockInfo): string {
  const end = until === null ? '' : ` until ${until}`;
  const waits = pending ? ', but the coordinator does not have it yet' : seq === null ? '' : ` (seq ${seq})`;
  return `rule block ${id} is ${state}${end}${waits}\n`;
}

/** Prints new blocks as they come. Blocks that exist at the beginning are not printed. */
async function watch(admin: Admin, filter: Filter): Promise<void> {
  let after = await eachAfter(admin, filter, 0, () => undefined);
  for (;;) {
    await pause(WATCH_PAUSE_MS);
    after = await eachAfter(admin, filter, after, (block) => print(lineOf(block), block));
  }
}

/** @param after an ID; `show` gets each block after it @returns the last ID */
async function eachAfter(
  admin: Admin,
  filter: Filter,
  after: number,
  show: (block: RuleBlockInfo) => void,
): Promise<number> {
  let last = after;
  for (;;) {
    const page: RuleBlockPage = await admin.get('rule-blocks', { ...filter, after: last });
    for (const block of page.ruleBlocks) show(block);
    last = Number(page.ruleBlocks.at(-1)?.id ?? last);
    if (page.next === null) return last;
  }
}

function subjectOf({ number, source, campaign, mock }: RuleBlockInfo): string {
  const subject = number ?? source ?? campaign ?? '(cannot be read: the key of reports is lost)';
  return mock ? `${subject} (mock)` : subject;
}

function stateOf({ state, cause }: RuleBlockInfo): string {
  return cause === null ? state : `${state}: ${cause}`;
}

function lineOf(block: RuleBlockInfo): string {
  const { id, rule, distinct, createdAt, members } = block;
  const range = members === undefined ? '' : `, with ${counted(members.length, 'number')} of its range`;
  const line = `${createdAt}  ${id}  ${subjectOf(block)}  ${stateOf(block)}  ${rule}, ${counted(distinct, 'reporter')}${range}`;
  return `${block.state === 'proposed' ? styleText('yellow', line) : line}\n`;
}

function formatBlocks(blocks: readonly RuleBlockInfo[], next: string | null): Report {
  const rows = blocks.map((block) => {
    const { id, rule, distinct, kinds, until, createdAt } = block;
    return [id, subjectOf(block), stateOf(block), rule, distinct, kinds.join(' '), createdAt, until ?? ''];
  });
  const names = ['id', 'number or sender', 'state', 'rule', 'reporters#', 'kinds', 'decided', 'until'];
  const more = next === null ? '' : 'there are more: raise --limit to see them\n';
  return [
    rows.length === 0 ? 'no rule blocks\n' : formatTable(names, rows) + more,
    { ruleBlocks: blocks, next },
  ];
}

const DONE: Readonly<Record<RuleBlockDone['action'], string>> = {
  ...{ approve: 'approved', confirm: 'confirmed', lift: 'lifted', dismiss: 'dismissed' },
  appeal: 'lifted after an appeal',
};

function formatBlock(block: RuleBlockInfo): Report<RuleBlockInfo> {
  const { grounds, evidence, actions, members, until, seq, pending, updatedAt } = block;
  const rows = grounds.map(({ rule, channel, distinct, partners, kinds, firedAt, confirmed }) => [
    ...[rule, channel, distinct, kinds.join(' ')],
    Object.entries(partners).map(([partner, reporters]) => `${partner} ${reporters}`),
    ...[firedAt, confirmed ? 'yes' : 'no'],
  ]);
  const lines = [
    `${styleText('bold', `rule block ${block.id}`)}: ${subjectOf(block)} is ${stateOf(block)} since ${updatedAt}`,
    ...(until === null ? [] : [`its stage ends at ${until}`]),
    ...actions.map(({ action, by, at, reason }) => `${DONE[action]} by ${by} at ${at}: ${reason}`),
    ...(pending ? [styleText('yellow', 'the coordinator does not have its newest state yet')] : []),
    ...(seq === null ? [] : [`visible from seq ${seq} on`]),
    ...evidenceLines(evidence),
  ];
  const table = formatTable(
    ['rule', 'channel', 'reporters#', 'kinds', 'by partner', 'decided', 'confirmed'],
    rows,
  );
  const range =
    members === undefined
      ? ''
      : `rules blocked, or would block, these numbers of its range:\n${formatTable(
          ['id', 'number', 'state', 'reporters#'],
          members.map(({ id, number, state, distinct }) => [id, number ?? '', state, distinct]),
        )}`;
  return [`${lines.join('\n')}\n${table}${range}`, block];
}

function evidenceLines(evidence: RuleBlockInfo['evidence']): string[] {
  if (evidence === null) return [styleText('yellow', 'the counter-evidence could not be read')];
  const { registered, certified, perThousand } = evidence;
  if (registered.length === 0) return ['nobody has registered it'];
  const names = registered.map((name) => (certified.includes(name) ? `${name} (certified)` : name));
  const rate =
    perThousand === null
      ? ''
      : `; ${Number(perThousand.toFixed(3))} reporters per thousand texts or calls that their clients sent`;
  return [styleText('yellow', `registered by ${names.join(', ')}${rate}`)];
}
