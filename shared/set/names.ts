/** Reads the names at the end of a value: UTF-8, each ended by a line feed, in ascending order within each group. */
import { LayoutError } from './number-set.ts';

/**
 * @param value name of the value, for errors @param starts index of the first name of each group
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
