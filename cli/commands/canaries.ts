/**
 * `numgate canaries`: numbers that nobody has a reason to check. Numbers come from a file or standard input only,
 * because shells and process lists show the words of a command line.
 */
import type { Command } from 'commander';
import type { ChangeDone } from '../../shared/admin/change.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { print } from '../terminal/output.ts';
import { itemsOf } from './block.ts';
import { examples, requireReason } from './options.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

interface CanaryOptions extends WaitOptions {
  readonly file: string;
  readonly reason: string;
}

export function addCanaries(program: Command): void {
  const canaries = program
    .command('canaries')
    .description('manage canary numbers: allocated, but never given to a subscriber');

  canaries
    .command('list')
    .description('list the canary numbers')
    .addHelpText('after', examples('canaries list'))
    .action(async () => {
      const numbers = (await load()).map(toE164);
      const text = numbers.length === 0 ? 'there are no canary numbers' : numbers.join('\n');
      print(`${text}\n`, { numbers });
    });

  for (const op of ['add', 'remove'] as const) {
    addWaitOptions(requireReason(canaries.command(op)))
      .description(op === 'add' ? 'add canary numbers' : 'remove canary numbers')
      .requiredOption(
        '--file <file>',
        'the numbers: .csv, .ndjson, or .txt with one per line; - is standard input',
      )
      .addHelpText('after', examples(`canaries ${op} --file - --reason "canaries of 2027"`))
      .action(async ({ file, reason, ...options }: CanaryOptions) => {
        const given = await numbersOf(file);
        const before = await load();
        const after = op === 'add' ? [...new Set([...before, ...given])] : without(before, given);
        const changed = Math.abs(after.length - before.length);
        if (changed === 0) return print('nothing was changed\n', { changed, numbers: after.length });
        const body = { numbers: after, reason };
        const { seq } = await adminOfEnvironment().change<ChangeDone>('PUT', 'canaries', body);
        const done = op === 'add' ? 'added' : 'removed';
        const text = `${changed} ${done}, ${after.length} canary numbers in total (seq ${seq})\n`;
        return printChange([text, { changed, numbers: after.length, seq }], options);
      });
  }
}

async function load(): Promise<number[]> {
  return (await adminOfEnvironment().get<{ numbers: number[] }>('canaries')).numbers;
}

function without(numbers: readonly number[], removed: readonly number[]): number[] {
  const gone = new Set(removed);
  return numbers.filter((n) => !gone.has(n));
}

/** Errors name the place of a number, never the number. */
async function numbersOf(file: string): Promise<number[]> {
  return (await itemsOf(file)).map(({ item, place }) => {
    const party = 'number' in item ? parseListed(item.number) : null;
    if (party?.kind === 'number') return party.n;
    throw new CommandFailure(`${place} is not a phone number: nothing was changed`, 2);
  });
}
