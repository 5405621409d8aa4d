/** `numgate undo`: reverses one operation on live entries. */
import type { Command } from 'commander';
import type { UndoDone } from '../../shared/admin/entries.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import type { Report } from '../terminal/output.ts';
import { undoHint } from './block.ts';
import { examples, requireReason, wholeNumber } from './options.ts';
import { type AuthorityOptions, addAuthorityOption, authorityField } from './override-authority.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

interface UndoCommandOptions extends WaitOptions, AuthorityOptions {
  readonly skipChanged: boolean;
  readonly reason: string;
}

export function addUndo(program: Command): void {
  addWaitOptions(addAuthorityOption(requireReason(program.command('undo'))))
    .description('reverse a block, unblock, clear or undo, for all its numbers and sources')
    .argument(
      '<operation>',
      'number of the operation, as block, unblock, clear, entries and audit export show it',
      wholeNumber,
    )
    .option('--skip-changed', 'skip entries that other operations have changed since', false)
    .addHelpText(
      'after',
      `
Each number and source gets back its earlier entries, except entries that have ended since. Guards do not apply. An
operation cannot be undone twice, after a week, or once a release contains it. An undo can be undone.`,
    )
    .addHelpText('after', examples('undo 123 --reason "wrong file"'))
    .action(async (operation: number, options: UndoCommandOptions) => {
      if (operation === 0) throw new CommandFailure('the number of an operation must be above 0', 2);
      const body = {
        reason: options.reason,
        ...(options.skipChanged ? { skipChanged: true } : {}),
        ...authorityField(options),
      };
      const path = `operations/${operation}/undo`;
      const done = await adminOfEnvironment().change<UndoDone>('POST', path, body);
      await printChange(formatUndo(done), options, undoHint([done.operation]));
    });
}

export function formatUndo(done: UndoDone): Report<UndoDone> {
  const { undone, entries, skipped, seq } = done;
  const lines = [
    `operation ${undone} undone: ${count(entries)} entries, one per number and subject (seq ${seq})`,
    ...(skipped === 0 ? [] : [`  left ${count(skipped)} entries that were changed since`]),
  ];
  return [`${lines.join('\n')}\n`, done];
}
