/** Catalogues of lists for `numgate build`, with one file of numbers for each list. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BenchList {
  /** The numbers of the list are in `<name>.txt`, beside the catalogue. */
  readonly name: string;
  readonly reason: string;
  readonly effect?: 'allow';
}

export const SUSPENDED: BenchList = { name: 'suspended', reason: 'NUMBER_SUSPENDED' };

/** @returns path of the catalogue */
export function writeCatalogue(folder: string, lists: readonly BenchList[] = [SUSPENDED]): string {
  const path = join(folder, 'lists.json');
  const inputs = lists.map(({ name }) => ({ file: `${name}.txt`, list: name }));
  writeFileSync(
    path,
    JSON.stringify({ lists: lists.map((list) => ({ ...list, authority: 'bench' })), inputs }),
  );
  return path;
}
