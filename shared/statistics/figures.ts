/**
 * Exact figures of one month, as the stores have them: what the tables are made of. Nothing here names a number, a sender
 * ID or a reporter.
 */

/** Reports of an intake in one month with the same facts. */
export interface MonthCount {
  readonly month: string;
  /**
   * `traits`: by channel, kind of spam, origin and route, whose integer is the name. `relay`, `operator`: reports of spam
   * by text that name a sender code, and those from abroad that name an operator (MCC and MNC). The name of those beyond
   * INTAKE_NAMES_MAX is empty.
   */
  readonly facet: 'traits' | 'relay' | 'operator';
  readonly name: string;
  /** Distinct reports that were acknowledged. */
  readonly acknowledged: number;
  /** How many of them were withdrawn. */
  readonly withdrawn: number;
}

/** Appeals of one month. */
export interface AppealMonth {
  /** Received in the month. */
  readonly filed: number;
  /** Decided in the month. */
  readonly decided: {
    readonly accepted: number;
    readonly rejected: number;
    readonly noLongerBlocked: number;
  };
  /** From receipt to decision, of those decided in the month; null if there is none. */
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
}

/** Rule blocks of one month, without mock ones and those of rules in shadow. */
export interface RuleBlockMonth {
  /** Came into force in the month. */
  readonly began: number;
  /** Ended in the month, after they were in force. */
  readonly ended: {
    /** Provisional ones that nobody and no independent kind of partner confirmed. */
    readonly unconfirmed: number;
    readonly confirmed: number;
    readonly lifted: number;
  };
  /** From the report that decided to the block; null if none began. */
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
}
