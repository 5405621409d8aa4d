/** Reads what was reported about senders, for guidance. Guidance must not wait long for these facts. */
import { NOTICE_WAIT_MS } from '../../shared/limits/notice-sources.ts';
import type { NoticeSender } from '../../shared/notices/data.ts';
import type { ReportFacts } from '../../shared/notices/routing.ts';
import { ReportKeys } from '../../shared/reports/report-keys.ts';
import type { ControlEnv } from '../env.ts';
import { shardOf } from '../storage/reports-port.ts';
import { RESPONSE_NAME } from '../storage/response-port.ts';
import { within } from '../storage/single-flight.ts';

/**
 * @returns facts in the order of the senders; null for a sender that nobody has reported
 * @throws if the desk or the counts do not respond
 */
export async function reportFactsOf(
  senders: readonly NoticeSender[],
  { RESPONSE, SUBJECTS }: Pick<ControlEnv, 'RESPONSE' | 'SUBJECTS'>,
): Promise<readonly (ReportFacts | null)[]> {
  if (senders.length === 0) return [];
  const secret = await within(RESPONSE.getByName(RESPONSE_NAME).reportKey(), NOTICE_WAIT_MS);
  const keys = await ReportKeys.open(secret);
  const keyed = await Promise.all(
    senders.map(({ number, source }) =>
      keys.subject(
        number === null ? { kind: 'source', text: source ?? '' } : { kind: 'number', n: Number(number) },
        false,
      ),
    ),
  );
  const found: (ReportFacts | null)[] = senders.map(() => null);
  const places = keyed.map((key, place) => ({ key, place }));
  // Call shards one after another: a page of events needs few of them, and no shard gets more than one call.
  for (const [shard, own] of Map.groupBy(places, ({ key }) => shardOf(key))) {
    const subjects = own.map(({ key }) => key);
    const facts = await within(SUBJECTS.getByName(shard).reported(subjects), NOTICE_WAIT_MS);
    own.forEach(({ place }, index) => {
      found[place] = facts[index] ?? null;
    });
  }
  return found;
}
