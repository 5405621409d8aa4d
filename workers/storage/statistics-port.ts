/** The store of closed months, of which there is one. */

/** The name of the only store of statistics. */
export const STATISTICS_NAME = 'main';

export interface StatisticsObject {
  /** Called by the cron: closes the months that are due. Never fails. */
  sweep(): Promise<void>;
}
