/** `numgate entries`: the live entries. `build` folds them into a release. */
import type { Command } from 'commander';
import type { EntryInfo, EntryPage } from '../../shared/admin/entries.ts';
import { PAGE_MAX } from '../../shared/limits/control.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { itemOf } from '../import/items.ts';
import { count } from '../terminal/figures.ts';
import { INPUT, linesOfInput } from '../terminal/input.ts';
import { print } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { operatorNames } from './operators.ts';
import { examples } from './options.ts';

/** Maximum rows of the table. It shows the newest entries. A larger table takes minutes to lay out. */
const ENTRIES_SHOWN = 200;

export function addEntries(program: Command): void {
  program
    .command('entries')
    .description('list live entries, or those of one number or source')
    .argument('[number or source]', '- reads it from standard input')
    .addHelpText('after', examples('entries', 'entries -'))
    .action(async (word: string | undefined) => {
      const text = word === INPUT ? (await linesOfInput()).find((line) => line !== '') : word;
      if (word !== undefined && text === undefined) throw new CommandFailure('standard input is empty', 2);
      const admin = adminOfEnvironment();
      const entries = text === undefined ? (await allEntries(admin)).entries : await findEntries(admin, text);
      print(await formatEntries(entries), { entries });
    });
}

/** All live entries up to one change, by ascending seq. */
export async function allEntries(admin: Admin): Promise<{ entries: EntryInfo[]; upTo: number }> {
  const entries: EntryInfo[] = [];
  let upTo: number | null = null;
  let after: string | null = null;
  do {
    const page: EntryPage = await admin.get('entries', { after, upTo, limit: PAGE_MAX });
    entries.push(...page.entries);
    upTo = page.upTo;
    after = page.next;
  } while (after !== null);
  return { entries, upTo };
}

/** The entries in force for one number or source, newest first. */
export async function findEntries(admin: Admin, text: string): Promise<EntryInfo[]> {
  const { entries } = await admin.find<{ entries: EntryInfo[] }>('entries/find', itemOf(text));
  return entries;
}

async function formatEntries(entries: readonly EntryInfo[]): Promise<string> {
  if (entries.length === 0) return 'no live entries\n';
  const shown = entries.slice(-ENTRIES_SHOWN);
  const hasOperator = shown.some(({ source }) => source?.startsWith('operator:') === true);
  const names = hasOperator ? await operatorNames() : null;
  const rows = shown.map(
    ({ number, source, op, code, subjects, authority, rule, stage, until, seq, by, reason, operation }) => {
      const name = names?.get(source ?? '');
      const party = number ?? `${source ?? ''}${name === undefined ? '' : ` ${name}`}`;
      return [
        party,
        op,
        code ?? '',
        subjects.join(' '),
        rule === undefined ? authority : `${authority} ${rule} ${stage}`,
        until ?? '',
        String(seq),
        String(operation ?? ''),
        by,
        reason,
      ];
    },
  );
  const columns = [
    'number or source',
    'op',
    'code',
    'subjects',
    'authority',
    'until',
    'seq#',
    'operation#',
    'by',
    'reason',
  ];
  const rest = entries.length - shown.length;
  return (
    formatTable(columns, rows) + (rest === 0 ? '' : `and ${count(rest)} older entries: --json lists all\n`)
  );
}
