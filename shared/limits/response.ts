/**
 * Limits of the desk, which turns decisions of rules into rule blocks.
 */

/** Rule blocks that have not ended. With indexes and audit records, they take some 2 GB of the 10 GB of one object. */
export const RULE_BLOCKS_MAX = 1_000_000;
/** How long a rule block is kept after its end, in ms: 90 days. */
export const RULE_BLOCKS_KEPT_MS = 7_776_000_000;
/** Ended blocks that one run of the alarm removes, and stages that it ends. The next run follows at once. */
export const RULE_BLOCKS_AT_ONCE = 500;
/** Rule blocks on one page. */
export const RULE_BLOCKS_PAGE_MAX = 500;
/** Decisions that the desk processes together, with one reading of their facts. */
export const DECISIONS_AT_ONCE = 200;
/**
 * How long a decision waits for facts that cannot be read, in ms. After that, a person decides: nothing is blocked
 * without facts, and nothing is lost.
 */
export const FACTS_WAIT_MS = 60_000;
/** Organisations of one number whose registrations, qualification and traffic count as evidence. */
export const FACT_ORGANISATIONS_MAX = 20;
/** Clients of these organisations whose traffic is read. With more, the traffic counts as unknown. */
export const FACT_CLIENTS_MAX = 64;
/** Size of the blocks of numbers that are proposed together as a range. */
export const RANGE_NUMBERS = 100;
/** How long the desk uses the rules and partners that it has read, in ms. */
export const CONTEXT_FRESH_MS = 5_000;
/** First and longest pause before a call of the desk is retried, in ms. The pause doubles with each failure. */
export const RESPONSE_RETRY_MS = 1_000;
export const RESPONSE_RETRY_MS_MAX = 60_000;
/** Pause before lifts and later stages are retried that were refused because rule entries are at their limit, in ms. */
export const RULES_FULL_RETRY_MS = 60_000;
/** Calls of the desk to other objects at the same time. */
export const RESPONSE_CALLS_MAX = 6;
