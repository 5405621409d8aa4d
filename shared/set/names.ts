/** Reads the names at the end of a value: in ascending order, or in groups of such, each ended by a line feed, in UTF-8. */
import { LayoutError } from './number-set.ts';

/**
 * @param value its name, for errors @param starts where the names of each group begin: those of a group are in order
 * @throws LayoutError
 */
export function readNames(bytes: Uint8Array, value: string, starts: Iterable<number> = [0]): string[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new LayoutError(`${value}: names are not UTF-8`);
  }
  const names = text.split('\n');
  if (names.pop() !== '') throw new LayoutError(`${value}: the last name is cut`);
  const first = new Set(starts);
  const isSorted = names.every(
    (name, index) => name !== '' && (first.has(index) || names[index - 1]! < name),
  );
  if (!isSorted) throw new LayoutError(`${value}: names out of order`);
  return names;
}
