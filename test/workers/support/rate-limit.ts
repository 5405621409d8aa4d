/**
 * A rate limit binding that writes down what it is told. The one of the test runtime knows no `delta`.
 */
export class FakeRateLimit implements RateLimit {
  readonly told: RateLimitOptions[] = [];
  readonly #way: 'allow' | 'refuse' | 'reject' | 'throw' | 'hang';

  constructor(way: 'allow' | 'refuse' | 'reject' | 'throw' | 'hang' = 'allow') {
    this.#way = way;
  }

  limit(options: RateLimitOptions): Promise<RateLimitOutcome> {
    this.told.push(options);
    if (this.#way === 'throw') throw new Error('the binding is broken');
    if (this.#way === 'reject') return Promise.reject(new Error('the binding is broken'));
    if (this.#way === 'hang') return new Promise(() => undefined);
    return Promise.resolve({ success: this.#way === 'allow' });
  }
}
