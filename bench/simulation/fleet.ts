/**
 * A fleet of isolates under a fake clock. Each one runs the policy of `shared/propagation.ts` like
 * `workers/edge/head/head-reader.ts` and `workers/edge/head/head-sources.ts`, against the cache, the
 * coordinator and the KV of a simulated network. Every request of every isolate is an event. Keep both sides
 * in step.
 */
import {
  CLAIM_RETRY_MS,
  CLAIM_SECONDS,
  COORDINATOR_BACKGROUND_WAIT_MS,
  COORDINATOR_WAIT_MS,
  KV_MUTABLE_TTL_SECONDS,
  LOAD_WAIT_MS,
} from '../../shared/limits/edge.ts';
import { afterCache, Breaker, type CachedCopy, HeadPoll, isNewer } from '../../shared/propagation.ts';
import { FakeClock, type Process } from './fake-clock.ts';
import type { Condition, DataCentre, Network } from './network.ts';

/**
 * A waiting request tries again after this time. It calls the coordinator only if more time is left, as in
 * `workers/edge/head/head-sources.ts`.
 */
const RETRY_MS = CLAIM_RETRY_MS / 4;

export interface Scenario {
  readonly network: Network;
  readonly endMs: number;
  /** Times of the changes, ascending. The first one is `seq` 2, because `seq` 1 exists from the beginning. */
  readonly changesMs: readonly number[];
  /** The condition of the coordinator at a time. */
  readonly condition: (now: number) => Condition;
}

/** Counts per second of simulated time. */
export interface Counts {
  readonly requests: Uint32Array;
  /** Requests that waited for the head, and their total waiting time in ms. */
  readonly waited: Uint32Array;
  readonly waitedMs: Float64Array;
  readonly coordinator: Uint32Array;
  readonly cacheReads: Uint32Array;
  readonly kvReads: Uint32Array;
}

interface Place extends DataCentre {
  copy: CachedCopy | null;
  claimedUntil: number;
}

interface Isolate {
  readonly index: number;
  readonly place: Place;
  readonly gapMs: () => number;
  readonly poll: HeadPoll;
  readonly breaker: Breaker;
  seq: number;
  polling: boolean;
  /** Requests that wait for the running poll. */
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly since: number;
  answered: boolean;
}

export class Fleet {
  readonly counts: Counts;
  readonly #scenario: Scenario;
  readonly #clock: FakeClock;
  readonly #isolates: readonly Isolate[];
  /** For each change and isolate, when the isolate last answered a request without the change. */
  readonly #lastWithout: readonly Float64Array[];
  /** For each change, when it reaches the store of KV. */
  readonly #kvWrittenMs: readonly number[];
  #seq = 1;
  #coordinatorFreeAt = 0;

  constructor(scenario: Scenario) {
    const { network, endMs, changesMs } = scenario;
    this.#scenario = scenario;
    this.#clock = new FakeClock(endMs);
    const seconds = Math.ceil(endMs / 1000);
    this.counts = {
      requests: new Uint32Array(seconds),
      waited: new Uint32Array(seconds),
      waitedMs: new Float64Array(seconds),
      coordinator: new Uint32Array(seconds),
      cacheReads: new Uint32Array(seconds),
      kvReads: new Uint32Array(seconds),
    };
    const places = network.dataCentres.map((each): Place => ({ ...each, copy: null, claimedUntil: 0 }));
    this.#isolates = network.isolates.map(({ dataCentre, gapMs }, index) => ({
      index,
      place: places[dataCentre]!,
      gapMs,
      poll: new HeadPoll(network.random),
      breaker: new Breaker(network.random),
      seq: 0,
      polling: false,
      waiting: [],
    }));
    this.#lastWithout = changesMs.map(() => new Float64Array(network.isolates.length));
    this.#kvWrittenMs = kvWrites(changesMs, network);
  }

  run(): void {
    this.#clock.begin(this.#changes());
    for (const isolate of this.#isolates) this.#clock.begin(this.#requests(isolate));
    this.#clock.run();
  }

  /**
   * Time to visible of a change, for each isolate, in ms: from the change to the last request that the isolate
   * answered without it; 0 if there was none.
   */
  visibleMs(change: number): Float64Array {
    const changedAt = this.#scenario.changesMs[change]!;
    return this.#lastWithout[change]!.map((last) => Math.max(0, last - changedAt));
  }

  *#changes(): Process {
    for (const atMs of this.#scenario.changesMs) {
      yield atMs - this.#clock.now;
      this.#seq++;
    }
  }

  *#requests(isolate: Isolate): Process {
    for (;;) {
      yield isolate.gapMs();
      const due = isolate.poll.due(this.#clock.now);
      if (due === 'wait') this.#clock.begin(this.#waitingRequest(isolate));
      else this.#response(isolate);
      if (due !== 'nothing' && !isolate.polling) this.#clock.begin(this.#poll(isolate, due === 'wait'));
    }
  }

  /** A request that waits for the poll, at most for its maximum wait. */
  *#waitingRequest(isolate: Isolate): Process {
    const waiting: Waiting = { since: this.#clock.now, answered: false };
    isolate.waiting.push(waiting);
    yield LOAD_WAIT_MS;
    if (waiting.answered) return;
    isolate.poll.pollFailed(this.#clock.now);
    this.#respondToWaiting(isolate, waiting);
  }

  #respondToWaiting(isolate: Isolate, waiting: Waiting): void {
    const { now } = this.#clock;
    waiting.answered = true;
    this.#count(this.counts.waited);
    this.counts.waitedMs[Math.floor(now / 1000)]! += now - waiting.since;
    this.#response(isolate);
  }

  #response({ index, seq }: Isolate): void {
    this.#count(this.counts.requests);
    // The first change has `seq` 2.
    for (let change = Math.max(0, seq - 1); change < this.#seq - 1; change++)
      this.#lastWithout[change]![index] = this.#clock.now;
  }

  *#poll(isolate: Isolate, waits: boolean): Process {
    isolate.polling = true;
    isolate.poll.began(this.#clock.now);
    yield* this.#refresh(isolate, waits);
    isolate.polling = false;
    for (const waiting of isolate.waiting.splice(0))
      if (!waiting.answered) this.#respondToWaiting(isolate, waiting);
  }

  /** @param waits whether a request waits for the refresh */
  *#refresh(isolate: Isolate, waits: boolean): Process {
    const { place, poll, breaker } = isolate;
    const deadline = this.#clock.now + (waits ? COORDINATOR_WAIT_MS : COORDINATOR_BACKGROUND_WAIT_MS);
    let copy: CachedCopy | null = null;
    for (;;) {
      copy = yield* this.#readCopy(place);
      if (copy !== null && copy.seq < isolate.seq) copy = null;
      const { now } = this.#clock;
      const next = afterCache(copy, breaker.allows(now) && now + RETRY_MS < deadline, now);
      if (next === 'use') {
        this.#adopt(isolate, copy!.seq);
        poll.confirmed(copy!.asOf, copy!.fetchedAt);
        return;
      }
      if (next === 'kv') break;
      if (yield* this.#claims(place)) {
        if (yield* this.#refreshFromCoordinator(isolate, deadline)) return;
        break;
      }
      if (!waits) return poll.retrySoon(this.#clock.now);
      yield RETRY_MS;
    }
    // The coordinator does not respond. Use the newest copy from isolate, data centre or KV, and cache it for all.
    const inKv = yield* this.#readKv(place);
    for (const seq of [inKv, copy?.seq ?? 0]) this.#adopt(isolate, seq);
    poll.confirmed(copy?.asOf ?? 0, this.#clock.now);
    yield* this.#storeCopy(place, { seq: isolate.seq, fetchedAt: this.#clock.now, asOf: poll.asOf });
  }

  *#readCopy(place: Place): Process<CachedCopy | null> {
    this.#count(this.counts.cacheReads);
    yield this.#scenario.network.cacheMs();
    return place.copy;
  }

  /**
   * Claims the call to the coordinator, unless another isolate holds the claim. Other isolates see the claim
   * once it is written.
   */
  *#claims(place: Place): Process<boolean> {
    this.#count(this.counts.cacheReads);
    yield this.#scenario.network.cacheMs();
    if (place.claimedUntil > this.#clock.now) return false;
    yield this.#scenario.network.cacheMs();
    place.claimedUntil = this.#clock.now + CLAIM_SECONDS * 1000;
    return true;
  }

  /** Calls the coordinator. @returns whether it responded */
  *#refreshFromCoordinator(isolate: Isolate, deadline: number): Process<boolean> {
    const { place, poll, breaker } = isolate;
    const startedAt = this.#clock.now;
    const response = yield* this.#callCoordinator(place, deadline);
    if (typeof response === 'string') {
      breaker.failed(this.#clock.now, response === 'overloaded');
      return false;
    }
    breaker.succeeded();
    this.#adopt(isolate, response);
    poll.confirmed(startedAt);
    yield* this.#storeCopy(place, { seq: response, fetchedAt: startedAt, asOf: startedAt });
    return true;
  }

  #adopt(isolate: Isolate, seq: number): void {
    if (isNewer(seq, isolate.seq)) isolate.seq = seq;
  }

  *#storeCopy(place: Place, copy: CachedCopy): Process {
    yield this.#scenario.network.cacheMs();
    place.copy = copy;
  }

  /** Returns the coordinator's `seq`, or how the call failed. */
  *#callCoordinator(place: Place, deadline: number): Process<number | 'overloaded' | 'failed'> {
    const { network, condition } = this.#scenario;
    const rttMs = network.rttMs(place);
    yield rttMs / 2;
    const { now } = this.#clock;
    this.#count(this.counts.coordinator);
    const state = condition(now);
    let response: number | 'overloaded' | 'failed' = this.#seq;
    let respondsAt = now + rttMs / 2;
    if (state === 'failing') {
      response = 'failed';
      if (network.failsSilently()) respondsAt = Number.POSITIVE_INFINITY;
    } else if (this.#coordinatorFreeAt - now > network.queueMs) response = 'overloaded';
    else {
      this.#coordinatorFreeAt = Math.max(now, this.#coordinatorFreeAt) + network.serviceMs;
      respondsAt += this.#coordinatorFreeAt - now + (state === 'slow' ? network.slowMs() : 0);
    }
    const inTime = respondsAt <= deadline;
    yield Math.max(0, (inTime ? respondsAt : deadline) - now);
    return inTime ? response : 'failed';
  }

  /** Returns the `seq` of the copy in KV. The KV caches refresh every TTL, as if they were read constantly. */
  *#readKv(place: Place): Process<number> {
    this.#count(this.counts.kvReads);
    yield this.#scenario.network.kvMs();
    const ttlMs = KV_MUTABLE_TTL_SECONDS * 1000;
    let seenMs = this.#clock.now;
    for (const phaseMs of place.kvPhasesMs) seenMs -= (seenMs - phaseMs + ttlMs) % ttlMs;
    seenMs -= place.kvLagMs;
    return 1 + this.#kvWrittenMs.filter((writtenMs) => writtenMs <= seenMs).length;
  }

  #count(counter: Uint32Array): void {
    counter[Math.floor(this.#clock.now / 1000)]!++;
  }
}

/**
 * When the copy of each change reaches KV. A write follows its change after a delay, and two writes keep a
 * minimum interval.
 */
function kvWrites(changesMs: readonly number[], network: Network): number[] {
  let last = Number.NEGATIVE_INFINITY;
  return changesMs.map((changedAt) => {
    last = Math.max(changedAt + network.kvWriteMs, last + network.kvWriteIntervalMs);
    return last;
  });
}
