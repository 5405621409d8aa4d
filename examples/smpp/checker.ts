/**
 * Asks numgate about messages, and turns its answers into what to do with them. A message alone is asked
 * about at once; what comes while a call is under way is collected and goes in one batch. No message waits
 * longer than the deadline, its time in the queue included; then the fail policy decides.
 */
import type {
  FailPolicy,
  GatewayAnswer,
  GatewayDefaults,
  GatewayItemAnswer,
  ItemError,
  LocalAnswer,
  NumgateClient,
} from '../node/client.ts';
import { STATUS } from './pdu.ts';

export type Decision =
  | { readonly kind: 'pass' }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'refuse'; readonly status: number };

export interface CheckerOptions {
  readonly client: NumgateClient;
  /** What is the same of all messages. */
  readonly defaults: GatewayDefaults;
  readonly failPolicy: FailPolicy;
  /** The label of a message that passes without an answer; null for none. */
  readonly label: string | null;
  /** Most messages of one call. */
  readonly batchItems: number;
  /** Longest wait for a call that is under way, until another one is made beside it, in ms. */
  readonly batchWaitMs: number;
  /** Longest time until a message is decided, in ms. */
  readonly deadlineMs: number;
  /** Is told when numgate goes away and comes back, and why. */
  readonly log: (event: string, detail?: string) => void;
}

/** At once: enough to hide the way to numgate, and no flood where it is slow. */
const CALLS_MAX = 4;

const PASS: Decision = { kind: 'pass' };

interface Waiting {
  readonly item: { readonly from: string; readonly to: string };
  readonly since: number;
  readonly decide: (decision: Decision) => void;
}

type Answered = GatewayAnswer | GatewayItemAnswer | ItemError | LocalAnswer;

export class Checker {
  readonly #options: CheckerOptions;
  #waiting: Waiting[] = [];
  #calls = 0;
  #timer: NodeJS.Timeout | null = null;
  #isAway = false;

  constructor(options: CheckerOptions) {
    this.#options = options;
  }

  check(from: string, to: string): Promise<Decision> {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    // What is read in one turn is asked about in one call.
    if (this.#waiting.length === 0) queueMicrotask(() => this.#dispatch());
    this.#waiting.push({ item: { from, to }, since: performance.now(), decide: resolve });
    if (this.#waiting.length >= this.#options.batchItems) this.#dispatch();
    return promise;
  }

  #dispatch(): void {
    const { batchItems, batchWaitMs } = this.#options;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#waiting.length > 0 && this.#calls < CALLS_MAX) {
      const waitMs = this.#waiting[0]!.since + batchWaitMs - performance.now();
      if (this.#calls > 0 && this.#waiting.length < batchItems && waitMs > 0) {
        this.#timer = setTimeout(() => this.#dispatch(), waitMs);
        return;
      }
      const batch = this.#waiting.slice(0, batchItems);
      this.#waiting = this.#waiting.slice(batchItems);
      void this.#call(batch);
    }
  }

  async #call(batch: readonly Waiting[]): Promise<void> {
    this.#calls++;
    const { client, defaults, deadlineMs } = this.#options;
    const items = batch.map(({ item }) => item);
    // The time of the oldest is the time of all.
    const left = { deadlineMs: deadlineMs - (performance.now() - batch[0]!.since) };
    const answers: Answered[] =
      items.length === 1
        ? [await client.gatewayCheck({ ...defaults, ...items[0]! }, left)]
        : await client.gatewayBatch(items, defaults, left);
    this.#calls--;
    this.#report(answers);
    for (const [index, { decide }] of batch.entries()) decide(this.#decisionOf(answers[index]!));
    this.#dispatch();
  }

  #decisionOf(answer: Answered): Decision {
    const { failPolicy, label } = this.#options;
    const field = fieldOf(answer);
    // A sender or recipient that numgate cannot read is none that may pass, whatever the fail policy.
    if (field === 'from') return { kind: 'refuse', status: STATUS.invalidSource };
    if (field === 'to') return { kind: 'refuse', status: STATUS.invalidDestination };
    if ('error' in answer) return undecided(failPolicy, label);
    if ('source' in answer) return undecided(answer.action, label);
    switch (answer.verdict) {
      case 'allow':
        return PASS;
      case 'label':
        return passWith(answer.label);
      case 'block':
        return { kind: 'refuse', status: answer.smpp?.commandStatus ?? STATUS.invalidSource };
      case 'indeterminate':
        return undecided(answer.action ?? failPolicy, answer.label);
    }
  }

  /** Once for each change, so that the log does not fill while numgate is away. */
  #report(answers: readonly Answered[]): void {
    // A sender or recipient that is too long says nothing about numgate: it was not asked.
    const answer = answers.find((candidate) => !('source' in candidate && candidate.why === 'tooLong'));
    if (answer === undefined) return;
    const isAway = 'source' in answer && fieldOf(answer) === null;
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    if (!isAway) this.#options.log('numgate answers');
    else if ('source' in answer) {
      this.#options.log('numgate does not answer', answer.problem?.code ?? answer.why);
    }
  }
}

function undecided(action: FailPolicy, label: string | null): Decision {
  return action === 'open' ? passWith(label) : { kind: 'refuse', status: STATUS.throttled };
}

function passWith(label: string | null): Decision {
  return label === null ? PASS : { kind: 'label', label };
}

/** The field that could not be read, of an item or of a single question; null where all could. */
function fieldOf(answer: Answered): string | null {
  if ('error' in answer) return answer.error.field;
  return 'source' in answer ? answer.field : null;
}
