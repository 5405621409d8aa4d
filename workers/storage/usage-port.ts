/**
 * The object that keeps the counts of one client (workers/usage/usage-counter.ts), as the edge and the admin routes
 * call it.
 */
import type { Detection } from '../../shared/enumeration/detect.ts';
import type { FlushAnswer, UsageFlush, UsageHistory, UsageScan } from '../../shared/usage/flush.ts';
import type { MobileTexts } from './notice-sources-port.ts';

export interface UsageObject {
  /** Counts a flush, unless it was counted before. Answers once the flush is stored. */
  apply(flush: UsageFlush): Promise<FlushAnswer>;
  /**
   * The stored counts.
   * @param from first hour since 1970 @param to last hour, exclusive
   */
  history(from: number, to: number): Promise<UsageHistory>;
  /**
   * Gives the client's first object the texts that another object of the client has counted. Idempotent by shard and `n`,
   * which rises by 1 from 1.
   * @returns `last`: the newest batch of this shard that is counted
   */
  addTexts(
    client: string,
    shard: number,
    n: number,
    texts: readonly MobileTexts[],
  ): Promise<{ readonly last: number }>;
  /** Divides the client over this many objects, unless it is divided over more. Called on the client's first object. */
  divide(shards: number): Promise<void>;
}

/** `usageObjectName` returns the names. */
export interface UsageObjects {
  getByName(name: string): UsageObject;
}

/** The object that looks for enumeration by one organisation (workers/usage/scan-detector.ts). */
export interface ScanObject {
  add(organisation: string, scans: readonly UsageScan[]): Promise<void>;
}

/** The names are the IDs of the organisations. */
export interface ScanObjects {
  getByName(name: string): ScanObject;
}

/** What `ScanObject` needs from the coordinator. */
export interface DetectionRecorder {
  /** The volume that an organisation declared; null for none. */
  declaredNumbers(organisation: string): Promise<number | null>;
  /**
   * Records a detection, once for each organisation and day, and restricts the clients that are set to it.
   * @param day days since 1970 @returns whether it was recorded now
   */
  enumerationDetected(organisation: string, day: number, found: readonly Detection[]): Promise<boolean>;
}
