/**
 * The requests of one direction of a session. They are passed on in the order in which they came, so one
 * that is decided waits for those before it. Its bound counts what is being decided and what the other side
 * has not answered yet; sequence numbers are the sender's own on both sides, so nothing is translated.
 */
import type { Decision } from './checker.ts';
import type { Leg } from './leg.ts';
import { commandOf, HEADER_BYTES, refusal, STATUS, sequenceOf } from './pdu.ts';

export interface LaneOptions {
  readonly from: Leg;
  readonly to: Leg;
  /** Most requests that are under way. */
  readonly window: number;
  /** What the sender is told of those that are under way when the other side dies. */
  readonly lostStatus: number;
  /** What to do with a request, and the bytes to pass on. */
  readonly judge: (pdu: Buffer, command: string) => Verdict | Promise<Verdict>;
  /** Is called whenever there is room. */
  readonly onRoom: () => void;
}

export interface Verdict {
  readonly pdu: Buffer;
  readonly decision: Decision;
}

interface Entry {
  readonly request: Buffer;
  verdict: Verdict | null;
}

interface Unanswered {
  readonly header: Buffer;
  readonly since: number;
}

/** Nobody answers these. */
const WITHOUT_RESPONSE: ReadonlySet<string> = new Set(['alert_notification', 'outbind']);

export class Lane {
  readonly #options: LaneOptions;
  #queue: Entry[] = [];
  readonly #unanswered = new Map<number, Unanswered>();
  #isClosing = false;
  /** When something left it. */
  #movedAt = performance.now();

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#queue.length + this.#unanswered.size;
  }

  get isFull(): boolean {
    return this.size >= this.#options.window;
  }

  /** Full, and for so long nothing has left it, in ms. */
  isStuck(sinceMs: number): boolean {
    return this.isFull && performance.now() - this.#movedAt > sinceMs;
  }

  /** A request that was read from the sender. */
  take(request: Buffer): void {
    const { from, to, lostStatus } = this.#options;
    const command = commandOf(request);
    const isPutOff = command !== 'unbind' && (this.isFull || this.#isClosing);
    if (to.isGone) from.write(refusal(request, lostStatus));
    // It asks whether the way is there, and not whether the messages before it have been decided.
    else if (command === 'enquire_link') to.write(request);
    else if (isPutOff) from.write(refusal(request, STATUS.throttled));
    else this.#enter(request, command);
  }

  #enter(request: Buffer, command: string): void {
    const entry: Entry = { request, verdict: null };
    this.#queue.push(entry);
    const settle = (verdict: Verdict): void => {
      entry.verdict = verdict;
      if (this.#queue[0] === entry) this.#flush();
    };
    const judged = this.#options.judge(request, command);
    if (judged instanceof Promise) void judged.then(settle);
    else settle(judged);
  }

  /** A response that was read from the other side. */
  answered(response: Buffer): void {
    this.#options.from.write(response);
    if (this.#unanswered.delete(sequenceOf(response))) this.#move();
  }

  #flush(): void {
    const { from, to, lostStatus } = this.#options;
    const open = this.#queue.findIndex(({ verdict }) => verdict === null);
    const ready = this.#queue.splice(0, open < 0 ? this.#queue.length : open);
    for (const { request, verdict } of ready) {
      const { pdu, decision } = verdict!;
      if (decision.kind === 'refuse') from.write(refusal(request, decision.status));
      else if (to.isGone) from.write(refusal(request, lostStatus));
      else {
        to.write(pdu);
        if (WITHOUT_RESPONSE.has(commandOf(request))) continue;
        const header = Buffer.from(request.subarray(0, HEADER_BYTES));
        this.#unanswered.set(sequenceOf(request), { header, since: performance.now() });
      }
    }
    this.#move();
  }

  #move(): void {
    this.#movedAt = performance.now();
    this.#options.onRoom();
  }

  /** From now on new requests are put off. */
  close(): void {
    this.#isClosing = true;
  }

  /** The other side cannot answer any more: nothing that is under way stays without an answer. */
  fail(): void {
    const { from, lostStatus } = this.#options;
    for (const { header } of this.#unanswered.values()) from.write(refusal(header, lostStatus));
    for (const { request } of this.#queue) from.write(refusal(request, lostStatus));
    this.drop();
  }

  /** The sender is dead: what was not passed on is none of the other side's, for it will be sent again. */
  drop(): void {
    this.#unanswered.clear();
    this.#queue = [];
  }

  /** Forget what the other side has not answered for so long: the sender has given it up, too. */
  expire(waitMs: number): void {
    const before = performance.now() - waitMs;
    const { size } = this.#unanswered;
    for (const [sequence, { since }] of this.#unanswered) {
      if (since > before) break;
      this.#unanswered.delete(sequence);
    }
    if (this.#unanswered.size < size) this.#move();
  }
}
