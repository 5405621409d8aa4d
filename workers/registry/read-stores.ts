/**
 * After a loss of the tables, reads from every store the data that the head does not have: the queue, the index of
 * numbers, the usage, and which organisations have published.
 */
import type { RegistrationSources } from '../storage/registry-port.ts';
import type { ChangeTable } from './change-table.ts';
import type { NumberIndex } from './number-index.ts';
import type { QueueIndex } from './queue-index.ts';
import type { Reports } from './reports.ts';

/** Registrations that one call reads. */
const PAGE = 1_000;

interface Tables {
  readonly table: ChangeTable;
  readonly queue: QueueIndex;
  readonly numbers: NumberIndex;
  readonly reports: Reports;
}

export async function readStores(
  organisations: readonly { readonly id: string }[],
  sources: RegistrationSources,
  { table, queue, numbers, reports }: Tables,
): Promise<void> {
  for (const { id: organisation } of organisations) {
    const source = sources.getByName(organisation);
    reports.setUsage(organisation, await source.usage());
    const { pairs } = await source.published(null, 1);
    if (pairs.length > 0) table.addPublisher(organisation);
    let after = 0;
    for (
      let page = await source.queued(after, PAGE);
      page.length > 0;
      page = await source.queued(after, PAGE)
    ) {
      // `fill` keeps what the store has published in the meantime, because that is newer.
      queue.fill(organisation, page);
      after = Number(page.at(-1)!.id);
    }
    for (let last: number | null = 0; last !== null; ) {
      const page = await source.numbers(last, PAGE);
      numbers.add(organisation, page.numbers);
      last = page.last;
    }
  }
}
