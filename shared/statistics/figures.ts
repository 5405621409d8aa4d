/**
 * Exact figures of one month, as the stores have them. The tables are made from these figures. No figure names a number,
 * a sender ID or a reporter.
 */

/** Reports of an intake in one month with the same facts. */
export interface MonthCount {
  readonly month: string;
  /**
   * `traits`: by channel, kind of spam, origin and route; the name is an integer that packs them. `relay`: reports of text
   * spam that name a sender code. `operator`: reports of text spam from abroad that name an operator (MCC and MNC). Names
   * beyond INTAKE_NAMES_MAX share the empty name.
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
  /** From receipt to decision, for the appeals decided in the month; null if there are none. */
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
}

/** Rule blocks of one month, without mock blocks and without blocks of rules in shadow. */
export interface RuleBlockMonth {
  /** Came into force in the month. */
  readonly began: number;
  /** Ended in the month, after they were in force. */
  readonly ended: {
    /** Provisional blocks that neither a person nor an independent kind of partner confirmed. */
    readonly unconfirmed: number;
    readonly confirmed: number;
    readonly lifted: number;
  };
  /** From the deciding report to the block; null if no block began. */
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
}
