/**
 * The requests of one direction of a session. They are passed on in order, so a decided request waits for
 * earlier requests. The window counts requests being decided and PDUs that the other side has not answered
 * yet. Both sides keep the sender's sequence numbers, so nothing is translated. If a request becomes several
 * PDUs, all but the last get the proxy's own numbers, and the sender gets one response.
 */
import type { Leg } from './leg.ts';
import { commandOf, HEADER_BYTES, refusal, STATUS, sequenceOf, statusOf, withSequence } from './pdu.ts';

export interface LaneOptions {
  readonly from: Leg;
  readonly to: Leg;
  /** Maximum number of requests in flight. */
  readonly window: number;
  /** Status for requests in flight when the other side disconnects. */
  readonly lostStatus: number;
  /** Decides what to do with a request, and the bytes to pass on. */
  readonly screen: (pdu: Buffer, command: string) => Verdict | Promise<Verdict>;
  /** Called whenever there is room. */
  readonly onRoom: () => void;
}

/** With `pass`, `pdus` are passed on in place of the request. */
export type Verdict =
  | { readonly kind: 'pass'; readonly pdus: readonly Buffer[] }
  | { readonly kind: 'refuse'; readonly status: number };

interface Entry {
  readonly request: Buffer;
  verdict: Verdict | null;
}

/** A request that was passed on. */
interface Passed {
  readonly header: Buffer;
  readonly since: number;
  /** Number of PDUs that the request became. */
  readonly count: number;
  /** How many of these PDUs have no response yet. */
  left: number;
  /** The response for the sender, among the received ones: the first error, else the response to the last PDU. */
  response: Buffer | null;
}

/** Requests that get no response. */
const WITHOUT_RESPONSE: ReadonlySet<string> = new Set(['alert_notification', 'outbind']);
/** Highest sequence number of the proxy's own, below that of its unbind. Numbers of a sender begin at 1. */
const OWN_SEQUENCE_MAX = 0x7ffffffe;

export class Lane {
  readonly #options: LaneOptions;
  #queue: Entry[] = [];
  readonly #unanswered = new Map<number, Passed>();
  #ownSequence = OWN_SEQUENCE_MAX;
  #isClosing = false;
  /** Time when a request last left the lane. */
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

  /** Whether the lane is full and nothing has left it for `sinceMs`, in ms. */
  isStuck(sinceMs: number): boolean {
    return this.isFull && performance.now() - this.#movedAt > sinceMs;
  }

  /** Takes a request that was read from the sender. */
  take(request: Buffer): void {
    const { from, to, lostStatus } = this.#options;
    const command = commandOf(request);
    const isPutOff = command !== 'unbind' && (this.isFull || this.#isClosing);
    if (to.isGone) from.write(refusal(request, lostStatus));
    // enquire_link tests the connection, so it does not wait for earlier messages.
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
    const verdict = this.#options.screen(request, command);
    if (verdict instanceof Promise) void verdict.then(settle);
    else settle(verdict);
  }

  /** Takes a response that was read from the other side. */
  answered(response: Buffer): void {
    const sequence = sequenceOf(response);
    const request = this.#unanswered.get(sequence);
    if (request === undefined) {
      this.#options.from.write(response);
      return;
    }
    this.#unanswered.delete(sequence);
    const isError = request.response !== null && statusOf(request.response) !== 0;
    const isOfLast = sequence === sequenceOf(request.header);
    if (!isError && (isOfLast || statusOf(response) !== 0)) request.response = response;
    if (--request.left === 0) {
      this.#options.from.write(withSequence(request.response!, sequenceOf(request.header)));
    }
    this.#move();
  }

  #flush(): void {
    const { from, to, lostStatus } = this.#options;
    const open = this.#queue.findIndex(({ verdict }) => verdict === null);
    const ready = this.#queue.splice(0, open < 0 ? this.#queue.length : open);
    for (const { request, verdict } of ready) {
      if (verdict!.kind === 'refuse') from.write(refusal(request, verdict!.status));
      else if (to.isGone) from.write(refusal(request, lostStatus));
      // This affects only a sender with numbers as high as the proxy's own.
      else if ((this.#unanswered.get(sequenceOf(request))?.count ?? 1) > 1) {
        from.write(refusal(request, STATUS.throttled));
      } else this.#passOn(request, verdict!.pdus);
    }
    this.#move();
  }

  #passOn(request: Buffer, pdus: readonly Buffer[]): void {
    const header = Buffer.from(request.subarray(0, HEADER_BYTES));
    const since = performance.now();
    const { length: count } = pdus;
    const passed: Passed = { header, since, count, left: count, response: null };
    const hasResponse = !WITHOUT_RESPONSE.has(commandOf(request));
    for (const [index, pdu] of pdus.entries()) {
      const sequence = index + 1 === count ? sequenceOf(request) : this.#nextOwnSequence();
      this.#options.to.write(withSequence(pdu, sequence));
      if (hasResponse) this.#unanswered.set(sequence, passed);
    }
  }

  #nextOwnSequence(): number {
    while (this.#unanswered.has(this.#ownSequence)) this.#ownSequence--;
    return this.#ownSequence--;
  }

  #move(): void {
    this.#movedAt = performance.now();
    this.#options.onRoom();
  }

  /** Refuses new requests from now on, with a temporary error. */
  close(): void {
    this.#isClosing = true;
  }

  /** The other side cannot respond any more, so every request in flight is answered here. */
  fail(): void {
    const { from, lostStatus } = this.#options;
    for (const { header } of new Set(this.#unanswered.values())) from.write(refusal(header, lostStatus));
    for (const { request } of this.#queue) from.write(refusal(request, lostStatus));
    this.drop();
  }

  /**
   * The sender is gone. Requests not yet passed on are discarded, because the sender will send them again.
   */
  drop(): void {
    this.#unanswered.clear();
    this.#queue = [];
  }

  /**
   * Forgets requests that the other side has not answered within `waitMs`. Their sender has given up as well.
   */
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
