/**
 * An authority that writes down what it is asked, and answers as a test wants it to.
 */
import type { HeadRequest, HeadSource } from '../../../workers/storage/coordinator-port.ts';

type Way = 'answer' | 'fail' | 'overloaded' | 'hang';

export class FakeAuthority implements HeadSource {
  readonly asked: HeadRequest[] = [];
  readonly values = new Map<string, Uint8Array<ArrayBuffer>>();
  way: Way = 'answer';
  /** What it answers with; seq 0 for a coordinator that has nothing. */
  seq = 0;
  sealed: Uint8Array<ArrayBuffer> | null = null;

  /** From now on it answers with this head. */
  decide({ seq, sealed }: { seq: number; sealed: Uint8Array<ArrayBuffer> | null }): void {
    this.seq = seq;
    this.sealed = sealed;
  }

  async head(asking: HeadRequest): ReturnType<HeadSource['head']> {
    this.asked.push(asking);
    await this.#fate();
    return { seq: this.seq, sealed: asking.seq === this.seq ? null : this.sealed };
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    await this.#fate();
    return this.values.get(key) ?? null;
  }

  async #fate(): Promise<void> {
    if (this.way === 'hang') await new Promise(() => undefined);
    if (this.way === 'fail') throw new Error('the object was reset');
    if (this.way === 'overloaded') throw Object.assign(new Error('overloaded'), { overloaded: true });
  }
}
