/**
 * `numgate operators`: names of mobile operators by MCC and MNC, from the npm package mcc-mnc-list (MIT, based
 * on Wikipedia). They help people find and recognise a code. No decision uses them, because codes come and go.
 * Only this file loads the table, and only once it is needed.
 */
import type { Command } from 'commander';
import { count } from '../terminal/figures.ts';
import { print } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { examples } from './options.ts';

/** Maximum rows of the table. */
const OPERATORS_SHOWN = 100;

export function addOperators(program: Command): void {
  program
    .command('operators')
    .description('look up the MCC and MNC of operators (works offline)')
    .argument('<words...>', 'words of a name or country, or the first digits of a code')
    .addHelpText('after', examples('operators globe philippines', 'operators 515'))
    .action(async (words: string[]) => {
      const operators = await findOperators(words);
      if (operators.length === 0) return print('no operator matches these words\n', { operators });
      const rows = operators
        .slice(0, OPERATORS_SHOWN)
        .map(({ operator, name, country, status }) => [`operator:${operator}`, name, country, status]);
      const rest = operators.length - rows.length;
      const more = rest === 0 ? '' : `and ${count(rest)} more: add a word to narrow the search\n`;
      print(formatTable(['operator', 'name', 'country', 'status'], rows) + more, { operators });
    });
}

interface NamedOperator {
  /** MCC and MNC, 5 or 6 digits, as in lists and gateway requests. */
  readonly operator: string;
  readonly name: string;
  readonly country: string;
  readonly status: string;
}

async function loadOperators(): Promise<NamedOperator[]> {
  const { default: list } = await import('mcc-mnc-list');
  return list
    .all()
    .filter(({ mcc, mnc }) => /^\d{3}$/.test(mcc ?? '') && /^\d{2,3}$/.test(mnc ?? ''))
    .map(({ mcc, mnc, brand, operator, countryName, status }) => {
      const names = [brand, operator].filter((name) => name !== null && name !== '');
      return {
        operator: `${mcc}${mnc}`,
        name: [...new Set(names)].join(', '),
        country: countryName ?? '',
        status: status ?? '',
      };
    });
}

/**
 * Operators that match all words: the code must begin with each word of digits, and the name or country must
 * contain each other word.
 */
async function findOperators(words: readonly string[]): Promise<NamedOperator[]> {
  const wanted = words.map((word) => word.toLowerCase());
  return (await loadOperators()).filter((each) => {
    const text = `${each.name} ${each.country}`.toLowerCase();
    return wanted.every((word) =>
      /^[\d-]+$/.test(word) ? each.operator.startsWith(word.replaceAll('-', '')) : text.includes(word),
    );
  });
}

/** Names by source, such as `Globe, Globe Telecom (Philippines)` for `operator:51502`. */
export async function operatorNames(): Promise<ReadonlyMap<string, string>> {
  const operators = await loadOperators();
  // If several operators share a code, the first one names it.
  return new Map(
    operators
      .toReversed()
      .map(({ operator, name, country }) => [`operator:${operator}`, `${name} (${country})`]),
  );
}
