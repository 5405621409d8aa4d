/** `numgate text`: text releases (a model and host lists), from training to rollback. Each family has a file of its own. */
import type { Command } from 'commander';

/** Each adds one command, or a few, to `numgate text`. */
const FAMILIES: readonly ((text: Command) => void)[] = [];

export function addText(program: Command): void {
  const text = program
    .command('text')
    .description('text risk: train models, build and publish text releases, explain scores');
  for (const addFamily of FAMILIES) addFamily(text);
}
