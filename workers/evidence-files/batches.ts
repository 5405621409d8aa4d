/** Reads many objects, a few at a time, with a limit on the time of each. */
import { EVIDENCE_READ_WAIT_MS, EVIDENCE_READS_AT_ONCE } from '../../shared/limits/evidence-files.ts';
import { within } from '../storage/single-flight.ts';

/** @returns the values in the order of the items @throws if one read fails, or takes too long */
export async function readEach<Item, Value>(
  items: readonly Item[],
  read: (item: Item) => Promise<Value>,
  done: () => void = () => undefined,
): Promise<Value[]> {
  const values: Value[] = [];
  for (let first = 0; first < items.length; first += EVIDENCE_READS_AT_ONCE) {
    const some = items.slice(first, first + EVIDENCE_READS_AT_ONCE);
    const reads = some.map((item) => within(read(item), EVIDENCE_READ_WAIT_MS).finally(done));
    values.push(...(await Promise.all(reads)));
  }
  return values;
}
