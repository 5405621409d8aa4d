/**
 * Checks messages with numgate and turns responses into decisions. A single message is checked at once. Messages that arrive
 * during a call are collected and sent in one batch. No message waits longer than the deadline, which includes its time in the
 * queue. After the deadline the fail policy decides.
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
  /** Fields that all messages share. */
  readonly defaults: GatewayDefaults;
  readonly failPolicy: FailPolicy;
  /** The label of a message that passes without a response. Null for none. */
  readonly label: string | null;
  /** Maximum number of messages in one call. */
  readonly batchItems: number;
  /** How long messages wait for a running call before another call starts, in ms. */
  readonly batchWaitMs: number;
  /** Longest time until a message is decided, in ms. */
  readonly deadlineMs: number;
  /** Called when numgate becomes unreachable and when it recovers, with the reason. */
  readonly log: (event: string, detail?: string) => void;
}

/** Maximum number of concurrent calls: enough to hide the network latency without flooding a slow service. */
const CALLS_MAX = 4;

const PASS: Decision = { kind: 'pass' };

interface Waiting {
  readonly item: { readonly from: string; readonly to: string; readonly text?: string };
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

  check(from: string, to: string, text?: string): Promise<Decision> {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    // All messages read in one turn share one call.
    if (this.#waiting.length === 0) queueMicrotask(() => this.#dispatch());
    const item = { from, to, ...(text === undefined ? {} : { text }) };
    this.#waiting.push({ item, since: performance.now(), decide: resolve });
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
    const answers = await this.#request(batch);
    this.#calls--;
    this.#report(answers);
    for (const [index, { decide }] of batch.entries()) decide(this.#decisionOf(answers[index]!));
    this.#dispatch();
  }

  /**
   * Makes one call, or several. A filter in front of numgate may reject a batch because of one message. The batch is then split
   * until that message is alone, because otherwise a single sender could hold back all others. (The client splits batches that
   * are too large for the service.)
   */
  async #request(batch: readonly Waiting[]): Promise<Answered[]> {
    const { client, defaults, deadlineMs } = this.#options;
    const items = batch.map(({ item }) => item);
    // The oldest message sets the deadline for all.
    const left = { deadlineMs: deadlineMs - (performance.now() - batch[0]!.since) };
    const answers: Answered[] =
      items.length === 1
        ? [await client.checkGateway({ ...defaults, ...items[0]! }, left)]
        : await client.checkGatewayBatch(items, { defaults, ...left });
    if (batch.length === 1 || !answers.some(isRejectedByFilter)) return answers;
    const middle = Math.ceil(batch.length / 2);
    const first = await this.#request(batch.slice(0, middle));
    return [...first, ...(await this.#request(batch.slice(middle)))];
  }

  #decisionOf(answer: Answered): Decision {
    const { failPolicy, label } = this.#options;
    const field = fieldOf(answer);
    // A message whose sender or recipient numgate cannot parse never passes, whatever the fail policy.
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

  /** Logs each change once, so that the log does not fill while numgate is unreachable. */
  #report(answers: readonly Answered[]): void {
    // A sender or recipient that is too long shows nothing about numgate, because no request was sent.
    const answer = answers.find((candidate) => !('source' in candidate && candidate.why === 'tooLong'));
    if (answer === undefined) return;
    const isAway = 'source' in answer && fieldOf(answer) === null;
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    if (!isAway) this.#options.log('numgate answers');
    else if ('source' in answer) {
      this.#options.log(
        'numgate does not answer',
        answer.problem.status === null ? answer.why : answer.problem.code,
      );
    }
  }
}

function undecided(action: FailPolicy, label: string | null): Decision {
  return action === 'open' ? passWith(label) : { kind: 'refuse', status: STATUS.throttled };
}

function passWith(label: string | null): Decision {
  return label === null ? PASS : { kind: 'label', label };
}

/** Whether the call failed with an error that does not come from numgate and that message content can cause. */
function isRejectedByFilter(answer: Answered): boolean {
  if (!('source' in answer)) return false;
  const { code, status } = answer.problem;
  return code === 'HTTP_ERROR' && (status === 400 || status === 403);
}

/** The field of an item or a single request that could not be parsed, or null. */
function fieldOf(answer: Answered): string | null {
  if ('error' in answer) return answer.error.field;
  return 'source' in answer ? answer.problem.field : null;
}
