/**
 * A fleet of isolates under a fake clock: each runs the policy of `shared/propagation.ts` the way
 * `workers/head.ts` and `workers/head-sources.ts` do, against the cache, the authority and the KV of a
 * simulated world. Every request of every isolate is an event. Both sides must be changed together.
 */
import {
  AUTHORITY_PATIENCE_MS,
  AUTHORITY_WAIT_MS,
  CLAIM_RETRY_MS,
  CLAIM_SECONDS,
  KV_MUTABLE_TTL_SECONDS,
  LOAD_WAIT_MS,
} from '../shared/limits.ts';
import { afterCache, Breaker, type CachedCopy, HeadPoll, isNewer } from '../shared/propagation.ts';
import { FakeClock, type Process } from './fake-clock.ts';
import type { Condition, DataCentre, World } from './world.ts';

/** A request that waits looks again after this, and asks only with more left, as in `workers/head-sources.ts`. */
const LOOK_AGAIN_MS = CLAIM_RETRY_MS / 4;

export interface Scenario {
  readonly world: World;
  readonly endMs: number;
  /** When changes are made, rising: the first is `seq` 2, since 1 was there from the beginning. */
  readonly changesMs: readonly number[];
  /** The state of the authority at a time. */
  readonly condition: (now: number) => Condition;
}

/** What happened in each second of the simulation. */
export interface Counts {
  readonly requests: Uint32Array;
  /** Requests that waited for a look at the head, and for how long together, in ms. */
  readonly waited: Uint32Array;
  readonly waitedMs: Float64Array;
  readonly authority: Uint32Array;
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
  /** Requests that wait for the poll under way. */
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
  /** For each change and isolate, when the isolate last answered a request without it. */
  readonly #lastWithout: readonly Float64Array[];
  /** For each change, when it is in the store of KV. */
  readonly #kvWrittenMs: readonly number[];
  #seq = 1;
  #authorityFreeAt = 0;

  constructor(scenario: Scenario) {
    const { world, endMs, changesMs } = scenario;
    this.#scenario = scenario;
    this.#clock = new FakeClock(endMs);
    const seconds = Math.ceil(endMs / 1000);
    this.counts = {
      requests: new Uint32Array(seconds),
      waited: new Uint32Array(seconds),
      waitedMs: new Float64Array(seconds),
      authority: new Uint32Array(seconds),
      cacheReads: new Uint32Array(seconds),
      kvReads: new Uint32Array(seconds),
    };
    const places = world.dataCentres.map((each): Place => ({ ...each, copy: null, claimedUntil: 0 }));
    this.#isolates = world.isolates.map(({ dataCentre, gapMs }, index) => ({
      index,
      place: places[dataCentre]!,
      gapMs,
      poll: new HeadPoll(world.random),
      breaker: new Breaker(world.random),
      seq: 0,
      polling: false,
      waiting: [],
    }));
    this.#lastWithout = changesMs.map(() => new Float64Array(world.isolates.length));
    this.#kvWrittenMs = kvWrites(changesMs, world);
  }

  run(): void {
    this.#clock.begin(this.#changes());
    for (const isolate of this.#isolates) this.#clock.begin(this.#requests(isolate));
    this.#clock.run();
  }

  /**
   * Time to visible of a change, for each isolate: how long after it the isolate last answered a
   * request without it, in ms; 0 if it never did.
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
      else this.#answer(isolate);
      if (due !== 'nothing' && !isolate.polling) this.#clock.begin(this.#poll(isolate, due === 'wait'));
    }
  }

  /** A request that is answered after the poll, or when it has waited long enough. */
  *#waitingRequest(isolate: Isolate): Process {
    const waiting: Waiting = { since: this.#clock.now, answered: false };
    isolate.waiting.push(waiting);
    yield LOAD_WAIT_MS;
    if (waiting.answered) return;
    isolate.poll.waitedInVain(this.#clock.now);
    this.#answerWaiting(isolate, waiting);
  }

  #answerWaiting(isolate: Isolate, waiting: Waiting): void {
    const { now } = this.#clock;
    waiting.answered = true;
    this.#count(this.counts.waited);
    this.counts.waitedMs[Math.floor(now / 1000)]! += now - waiting.since;
    this.#answer(isolate);
  }

  #answer({ index, seq }: Isolate): void {
    this.#count(this.counts.requests);
    // Changes begin with `seq` 2.
    for (let change = Math.max(0, seq - 1); change < this.#seq - 1; change++)
      this.#lastWithout[change]![index] = this.#clock.now;
  }

  *#poll(isolate: Isolate, waits: boolean): Process {
    isolate.polling = true;
    isolate.poll.began(this.#clock.now);
    yield* this.#look(isolate, waits);
    isolate.polling = false;
    for (const waiting of isolate.waiting.splice(0))
      if (!waiting.answered) this.#answerWaiting(isolate, waiting);
  }

  /** @param waits whether a request waits for it */
  *#look(isolate: Isolate, waits: boolean): Process {
    const { place, poll, breaker } = isolate;
    const deadline = this.#clock.now + (waits ? AUTHORITY_WAIT_MS : AUTHORITY_PATIENCE_MS);
    let copy: CachedCopy | null = null;
    for (;;) {
      copy = yield* this.#readCopy(place);
      if (copy !== null && copy.seq < isolate.seq) copy = null;
      const { now } = this.#clock;
      const next = afterCache(copy, breaker.allows(now) && now + LOOK_AGAIN_MS < deadline, now);
      if (next === 'use') {
        this.#adopt(isolate, copy!.seq);
        poll.confirmed(copy!.asOf, copy!.fetchedAt);
        return;
      }
      if (next === 'kv') break;
      if (yield* this.#claims(place)) {
        if (yield* this.#asks(isolate, deadline)) return;
        break;
      }
      if (!waits) return poll.comeBack(this.#clock.now);
      yield LOOK_AGAIN_MS;
    }
    // The authority does not answer: the newest of what isolate, data centre and KV have is left for all.
    const inKv = yield* this.#readKv(place);
    for (const seq of [inKv, copy?.seq ?? 0]) this.#adopt(isolate, seq);
    poll.confirmed(copy?.asOf ?? 0, this.#clock.now);
    yield* this.#leave(place, { seq: isolate.seq, fetchedAt: this.#clock.now, asOf: poll.asOf });
  }

  *#readCopy(place: Place): Process<CachedCopy | null> {
    this.#count(this.counts.cacheReads);
    yield this.#scenario.world.cacheMs();
    return place.copy;
  }

  /** Whether nobody else is asking; now this isolate is, as others see once it is written. */
  *#claims(place: Place): Process<boolean> {
    this.#count(this.counts.cacheReads);
    yield this.#scenario.world.cacheMs();
    if (place.claimedUntil > this.#clock.now) return false;
    yield this.#scenario.world.cacheMs();
    place.claimedUntil = this.#clock.now + CLAIM_SECONDS * 1000;
    return true;
  }

  /** Whether the authority answered. */
  *#asks(isolate: Isolate, deadline: number): Process<boolean> {
    const { place, poll, breaker } = isolate;
    const askedAt = this.#clock.now;
    const answer = yield* this.#authority(place, deadline);
    if (typeof answer === 'string') {
      breaker.failed(this.#clock.now, answer === 'overloaded');
      return false;
    }
    breaker.succeeded();
    this.#adopt(isolate, answer);
    poll.confirmed(askedAt);
    yield* this.#leave(place, { seq: answer, fetchedAt: askedAt, asOf: askedAt });
    return true;
  }

  #adopt(isolate: Isolate, seq: number): void {
    if (isNewer(seq, isolate.seq)) isolate.seq = seq;
  }

  *#leave(place: Place, copy: CachedCopy): Process {
    yield this.#scenario.world.cacheMs();
    place.copy = copy;
  }

  /** The authority's `seq`, or how it failed. */
  *#authority(place: Place, deadline: number): Process<number | 'overloaded' | 'failed'> {
    const { world, condition } = this.#scenario;
    const rttMs = world.rttMs(place);
    yield rttMs / 2;
    const { now } = this.#clock;
    this.#count(this.counts.authority);
    const state = condition(now);
    let answer: number | 'overloaded' | 'failed' = this.#seq;
    let answeredAt = now + rttMs / 2;
    if (state === 'failing') {
      answer = 'failed';
      if (world.failsSilently()) answeredAt = Number.POSITIVE_INFINITY;
    } else if (this.#authorityFreeAt - now > world.queueMs) answer = 'overloaded';
    else {
      this.#authorityFreeAt = Math.max(now, this.#authorityFreeAt) + world.serviceMs;
      answeredAt += this.#authorityFreeAt - now + (state === 'slow' ? world.slowMs() : 0);
    }
    const inTime = answeredAt <= deadline;
    yield Math.max(0, (inTime ? answeredAt : deadline) - now);
    return inTime ? answer : 'failed';
  }

  /** The `seq` of the copy in KV. The caches in front of it are filled anew every TTL, as if always read. */
  *#readKv(place: Place): Process<number> {
    this.#count(this.counts.kvReads);
    yield this.#scenario.world.kvMs();
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

/** When the copy of each change is in KV: a write comes some time after its change, and not too soon after another. */
function kvWrites(changesMs: readonly number[], world: World): number[] {
  let last = Number.NEGATIVE_INFINITY;
  return changesMs.map((changedAt) => {
    last = Math.max(changedAt + world.kvWriteMs, last + world.kvWriteIntervalMs);
    return last;
  });
}
