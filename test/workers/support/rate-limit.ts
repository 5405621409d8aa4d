/** A rate limit binding that records its calls. The binding of the test runtime does not support `delta`. */
export class FakeRateLimit implements RateLimit {
  readonly calls: RateLimitOptions[] = [];
  readonly #behaviour: 'allow' | 'refuse' | 'reject' | 'throw' | 'hang';

  constructor(way: 'allow' | 'refuse' | 'reject' | 'throw' | 'hang' = 'allow') {
    this.#behaviour = way;
  }

  limit(options: RateLimitOptions): Promise<RateLimitOutcome> {
    this.calls.push(options);
    if (this.#behaviour === 'throw') throw new Error('the binding is broken');
    if (this.#behaviour === 'reject') return Promise.reject(new Error('the binding is broken'));
    if (this.#behaviour === 'hang') return new Promise(() => undefined);
    return Promise.resolve({ success: this.#behaviour === 'allow' });
  }
}
