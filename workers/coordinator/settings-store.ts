/**
 * The guard settings, the canary numbers and the gateway policy. The last two are part of the head, so changing them
 * changes the head.
 */
import { keyedNumber } from '../../shared/audit.ts';
import { type Policy, STANDARD_POLICY, type VersionedPolicy } from '../../shared/policy/policy.ts';
import { DEFAULT_GUARDS, type GuardSettings } from '../../shared/release/guard-settings.ts';
import type { ActiveKeys } from './active-keys.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse } from './change-request.ts';
import type { Precondition } from './document-store.ts';
import type { Ledger } from './ledger.ts';
import type { Meta } from './meta.ts';
import { GROWING_CHANGE } from './storage-budget.ts';

export class SettingsStore {
  readonly #meta: Meta;
  readonly #ledger: Ledger;
  readonly #keys: ActiveKeys;

  constructor(meta: Meta, ledger: Ledger, keys: ActiveKeys) {
    this.#meta = meta;
    this.#ledger = ledger;
    this.#keys = keys;
  }

  get guards(): GuardSettings {
    // Settings of an earlier version lack the newer ones.
    return { ...DEFAULT_GUARDS, ...this.#meta.json<GuardSettings>('guards') };
  }

  putGuards(request: ChangeRequest, guards: GuardSettings): ChangeResult<GuardSettings> {
    /** As written to the audit log, with no number in plain text. */
    const recorded = ({ protectedNumbers, ...rest }: GuardSettings): object => ({
      ...rest,
      protectedNumbers: protectedNumbers.map((n) => keyedNumber(n, this.#keys.current)),
    });
    return this.#ledger.transact(request, GROWING_CHANGE, () => {
      const [before, after] = [recorded(this.guards), recorded(guards)];
      this.#meta.set('guards', guards);
      return applied(guards, [{ action: 'guards.put', subject: 'guards', before, after }]);
    });
  }

  /** Canary numbers, as integers. */
  get canaries(): number[] {
    return this.#meta.json<number[]>('canaries') ?? [];
  }

  restoreCanaries(canaries: readonly number[]): void {
    this.#meta.set('canaries', canaries);
  }

  putCanaries(request: ChangeRequest, canaries: readonly number[]): ChangeResult<{ seq: number }> {
    /** In the audit log, no number is in plain text. */
    const keyed = (numbers: readonly number[]) => numbers.map((n) => keyedNumber(n, this.#keys.current));
    return this.#ledger.change(request, GROWING_CHANGE, () => {
      const [before, after] = [keyed(this.canaries), keyed(canaries)];
      this.#meta.set('canaries', canaries);
      return applied({}, [{ action: 'canaries.put', subject: 'canaries', before, after }]);
    });
  }

  /** The built-in policy, until it is changed. */
  get policy(): VersionedPolicy {
    return this.#meta.json<VersionedPolicy>('policy') ?? STANDARD_POLICY;
  }

  restorePolicy(policy: VersionedPolicy): void {
    this.#meta.set('policy', policy);
  }

  putPolicy(
    request: ChangeRequest,
    policy: Policy,
    { match }: Precondition,
  ): ChangeResult<VersionedPolicy & { seq: number }> {
    return this.#ledger.change(request, GROWING_CHANGE, (seq) => {
      const before = this.policy;
      if (match !== null && match !== String(before.version)) {
        const message = `the policy now has version ${before.version}: read it again`;
        return refuse('PRECONDITION_FAILED', message);
      }
      const after: VersionedPolicy = { version: seq, policy };
      this.#meta.set('policy', after);
      return applied(after, [{ action: 'policy.put', subject: 'policy', before, after }]);
    });
  }
}
