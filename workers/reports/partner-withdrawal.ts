/**
 * Withdraws all reports that arrived since a given time, for a partner whose key leaked. It works in steps, so that no
 * flush gets too long. Reports that arrive after the request are not withdrawn.
 */
import { REPORTS_REMOVED_AT_ONCE } from '../../shared/limits/intake.ts';
import type { PartnerWithdrawal } from '../storage/reports-port.ts';
import type { IntakeMeta } from './intake-outbox.ts';
import type { IntakeStore } from './intake-store.ts';

interface Progress extends PartnerWithdrawal {
  /** Numbers of the next report and of the last report to look at. */
  readonly next: number;
  readonly to: number;
}

export class PartnerWithdrawals {
  readonly #meta: IntakeMeta;
  readonly #store: IntakeStore;

  constructor(meta: IntakeMeta, store: IntakeStore) {
    this.#meta = meta;
    this.#store = store;
  }

  /** The last withdrawal; null if there was none. */
  get last(): PartnerWithdrawal | null {
    const progress = this.#meta.json<Progress>('withdrawal');
    if (progress === null) return null;
    const { since, requestedAt, withdrawn, isDone } = progress;
    return { since, requestedAt, withdrawn, isDone };
  }

  get isDone(): boolean {
    return this.last?.isDone ?? true;
  }

  /** Begins a withdrawal. If one is still running, both continue as one, from the earlier time. @param now ms since 1970 */
  begin(since: number, now: number): void {
    const running = this.isDone ? null : this.last;
    const from = Math.min(since, running?.since ?? since);
    const [next, to] = [this.#store.firstSince(from), this.#store.last];
    const progress: Progress = {
      ...{ since: from, requestedAt: now, withdrawn: running?.withdrawn ?? 0 },
      ...{ next, to, isDone: next > to },
    };
    this.#meta.set('withdrawal', progress);
  }

  /** @returns false if there is nothing left to do */
  step(): boolean {
    const progress = this.#meta.json<Progress>('withdrawal');
    if (progress === null || progress.isDone) return false;
    const { next, count } = this.#store.withdrawSome(progress.next, progress.to, REPORTS_REMOVED_AT_ONCE);
    // After a crash before this line, the step is repeated. It skips reports that are already withdrawn.
    const withdrawn = progress.withdrawn + count;
    this.#meta.set('withdrawal', { ...progress, next, withdrawn, isDone: next > progress.to });
    return true;
  }
}
