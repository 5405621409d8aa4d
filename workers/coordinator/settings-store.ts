/**
 * The guard settings, the canary numbers, the gateway policy, and which changes wait for a second person. Canaries and
 * policy are part of the head, so changing them changes the head.
 */
import { keyedNumber } from '../../shared/audit.ts';
import { type Policy, STANDARD_POLICY, type VersionedPolicy } from '../../shared/policy/policy.ts';
import { type Approvals, NO_APPROVALS } from '../../shared/proposals.ts';
import { DEFAULT_GUARDS, type GuardSettings } from '../../shared/release/guard-settings.ts';
import type { Precondition } from '../storage/precondition.ts';
import type { ActiveKeys } from './active-keys.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse, systemRequest } from './change-request.ts';
import type { Ledger } from './ledger.ts';
import type { Meta } from './meta.ts';
import { IMPOSSIBLE } from './proposal-records.ts';
import type { ProposalStore } from './proposal-store.ts';
import { FREEING_CHANGE, GROWING_CHANGE } from './storage-budget.ts';

export class SettingsStore {
  readonly #meta: Meta;
  readonly #ledger: Ledger;
  readonly #proposals: ProposalStore;
  readonly #keys: ActiveKeys;

  constructor(meta: Meta, ledger: Ledger, proposals: ProposalStore, keys: ActiveKeys) {
    this.#meta = meta;
    this.#ledger = ledger;
    this.#proposals = proposals;
    this.#keys = keys;
  }

  get guards(): GuardSettings {
    // Settings stored by older versions lack newer fields.
    return { ...DEFAULT_GUARDS, ...this.#meta.json<GuardSettings>('guards') };
  }

  /** @param expected make the change only if these guards are in force */
  putGuards(
    request: ChangeRequest,
    guards: GuardSettings,
    expected?: GuardSettings,
  ): ChangeResult<GuardSettings> {
    /** As written to the audit log, with no number in plain text. */
    const recorded = ({ protectedNumbers, ...rest }: GuardSettings): object => ({
      ...rest,
      protectedNumbers: protectedNumbers.map((n) => keyedNumber(n, this.#keys.current)),
    });
    return this.#ledger.transact(request, GROWING_CHANGE, () => {
      const now = this.guards;
      if (expected !== undefined && JSON.stringify(now) !== JSON.stringify(expected))
        return refuse('PRECONDITION_FAILED', 'the guards have changed since: read them again');
      const [before, after] = [recorded(now), recorded(guards)];
      this.#meta.set('guards', guards);
      return applied(guards, [{ action: 'guards.put', subject: 'guards', before, after }], {
        kinds: ['guards'],
        command: { name: 'putGuards', guards },
        revert: { name: 'putGuards', guards: now, expected: guards },
      });
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
    condition: Precondition,
  ): ChangeResult<VersionedPolicy & { seq: number }> {
    return this.#ledger.change(request, GROWING_CHANGE, (seq) => {
      const before = this.policy;
      const { match } = condition;
      if (match !== null && match !== String(before.version)) {
        const message = `the policy now has version ${before.version}: read it again`;
        return refuse('PRECONDITION_FAILED', message);
      }
      const after: VersionedPolicy = { version: seq, policy };
      this.#meta.set('policy', after);
      return applied(after, [{ action: 'policy.put', subject: 'policy', before, after }], {
        kinds: ['policy'],
        command: { name: 'putPolicy', policy, condition },
        revert: {
          name: 'putPolicy',
          policy: before.policy,
          condition: { match: String(seq), absent: false },
        },
      });
    });
  }

  /**
   * Turns approvals off, because the environment demands it. Anyone who can set the environment could also deploy other
   * code, but this leaves a trace in the audit log.
   */
  resetApprovals(): void {
    const before = this.#proposals.rules;
    if (before.kinds.length === 0) return;
    this.#ledger.transact(systemRequest('APPROVALS is off'), FREEING_CHANGE, () => {
      this.#meta.set('approvals', NO_APPROVALS);
      const subject = 'approvals';
      return applied({}, [{ action: 'approvals.put', subject, before, after: NO_APPROVALS }]);
    });
  }

  /** @param signers the current signing keys, which stay trusted when new keys start to need approval */
  putApprovals(request: ChangeRequest, approvals: Approvals, signers: object): ChangeResult<Approvals> {
    return this.#ledger.transact(request, FREEING_CHANGE, () => {
      const before = this.#proposals.rules;
      const { kinds } = approvals;
      if (kinds.length > 0 && this.#proposals.people.approvers.length < 2) return refuse(...IMPOSSIBLE);
      if (kinds.includes('signingKeys') && !before.kinds.includes('signingKeys'))
        this.#meta.set('signersApproved', signers);
      this.#meta.set('approvals', approvals);
      const audit = [{ action: 'approvals.put', subject: 'approvals', before, after: approvals }];
      // Adding kinds never waits. Removing kinds, or changing the time to decide, needs a second person.
      const isWeaker =
        !before.kinds.every((kind) => kinds.includes(kind)) || before.waitSeconds !== approvals.waitSeconds;
      return applied(approvals, audit, {
        kinds: isWeaker ? ['approvals'] : [],
        command: { name: 'putApprovals', approvals },
        revert: null,
      });
    });
  }
}
