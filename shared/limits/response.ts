/**
 * Limits of the desk of the joint response, which turns decisions of rules into blocks.
 */

/** Rule blocks that have not ended: with their indexes and audit records they take some 2 GB of the 10 GB of one object. */
export const RULE_BLOCKS_MAX = 1_000_000;
/** How long a rule block is kept after its end, in ms: 90 days. */
export const RULE_BLOCKS_KEPT_MS = 7_776_000_000;
/** Ended blocks that one run of the alarm removes, and stages that it ends. The next follows at once. */
export const RULE_BLOCKS_AT_ONCE = 500;
/** Rule blocks on one page. */
export const RULE_BLOCKS_PAGE_MAX = 500;
/** Decisions that the desk works on at once: their facts are read together. */
export const DECISIONS_AT_ONCE = 200;
/**
 * How long a decision waits for facts that cannot be read, in ms. Then a person decides: nothing is blocked without
 * facts, and nothing is forgotten.
 */
export const FACTS_WAIT_MS = 60_000;
/** Organisations of one number whose registrations, qualification and traffic count as evidence. */
export const FACT_ORGANISATIONS_MAX = 20;
/** Clients of these organisations whose traffic is read. With more, the traffic counts as unknown. */
export const FACT_CLIENTS_MAX = 64;
/** Numbers that form a range: a block of them is proposed together. */
export const RANGE_NUMBERS = 100;
/** How long the desk uses the rules and partners that it has read, in ms. */
export const CONTEXT_FRESH_MS = 5_000;
/** Pause before the first retry of a call of the desk, and the longest one, in ms. It doubles with each failure. */
export const RESPONSE_RETRY_MS = 1_000;
export const RESPONSE_RETRY_MS_MAX = 60_000;
/** Pause before lifts and further stages are repeated that the full reserve of rule entries refused, in ms. */
export const RULES_FULL_RETRY_MS = 60_000;
/** Calls of the desk to other objects at the same time. */
export const RESPONSE_CALLS_MAX = 6;
