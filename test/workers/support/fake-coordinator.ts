/** A coordinator that records its requests, and behaves as a test needs. */
import type { HeadRequest, HeadSource } from '../../../workers/storage/coordinator-port.ts';

type Behaviour = 'answer' | 'fail' | 'overloaded' | 'hang';

export class FakeCoordinator implements HeadSource {
  readonly requests: HeadRequest[] = [];
  readonly values = new Map<string, Uint8Array<ArrayBuffer>>();
  behaviour: Behaviour = 'answer';
  /** The `seq` of its head; 0 for a coordinator without a head. */
  seq = 0;
  sealed: Uint8Array<ArrayBuffer> | null = null;

  /** Returns this head from now on. */
  setHead({ seq, sealed }: { seq: number; sealed: Uint8Array<ArrayBuffer> | null }): void {
    this.seq = seq;
    this.sealed = sealed;
  }

  async head(request: HeadRequest): ReturnType<HeadSource['head']> {
    this.requests.push(request);
    await this.#simulate();
    return { seq: this.seq, sealed: request.seq === this.seq ? null : this.sealed };
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    await this.#simulate();
    return this.values.get(key) ?? null;
  }

  async #simulate(): Promise<void> {
    if (this.behaviour === 'hang') await new Promise(() => undefined);
    if (this.behaviour === 'fail') throw new Error('the object was reset');
    if (this.behaviour === 'overloaded') throw Object.assign(new Error('overloaded'), { overloaded: true });
  }
}
