/** Reads the counts of a client from all its objects. */
import { type UsageHistory, usageObjectName } from '../../shared/usage/flush.ts';
import { joinPeriods } from '../../shared/usage/report.ts';
import type { UsageObjects } from './usage-port.ts';

/** Hours since 1970. */
export interface HourSpan {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** @throws if an object does not respond */
export async function historyOf(
  client: string,
  { from, to }: HourSpan,
  objects: UsageObjects,
): Promise<UsageHistory> {
  const read = (shard: number) => objects.getByName(usageObjectName(client, shard)).history(from, to);
  const first = await read(0);
  const others = await Promise.all(Array.from({ length: first.shards - 1 }, (_, shard) => read(shard + 1)));
  const all = [first, ...others];
  const hours = all.flatMap(({ lastHour }) => (lastHour === null ? [] : [lastHour]));
  return {
    shards: first.shards,
    lastHour: hours.length === 0 ? null : Math.max(...hours),
    periods: joinPeriods(all.flatMap(({ periods }) => periods)),
  };
}
