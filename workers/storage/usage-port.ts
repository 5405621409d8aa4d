/**
 * The object that keeps the counts of one client (workers/usage/usage-counter.ts), as the edge and the admin routes
 * call it.
 */
import type { FlushAnswer, UsageFlush, UsageHistory } from '../../shared/usage/flush.ts';

export interface UsageObject {
  /** Counts a flush, unless it was counted before. The answer comes once it is stored. */
  apply(flush: UsageFlush): Promise<FlushAnswer>;
  /**
   * The stored counts.
   * @param from first hour since 1970 @param to last hour, exclusive
   */
  history(from: number, to: number): Promise<UsageHistory>;
  /** Divides the client over this many objects, unless it is divided over more. For the first of its objects. */
  divide(shards: number): Promise<void>;
}

/** The names are those of `usageObjectName`. */
export interface UsageObjects {
  getByName(name: string): UsageObject;
}
