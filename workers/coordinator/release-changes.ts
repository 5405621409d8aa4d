/**
 * Changes of the current release: stage, promote (to a share of the data centres, or to all), roll back. A release is
 * verified and planned before the transaction. The transaction checks again that nothing relevant has changed.
 */
import type {
  Promote,
  PromoteDone,
  ReleaseInfo,
  ReleaseState,
  Rollback,
  RollbackDone,
  Stage,
} from '../../shared/admin/releases.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { blobsOf, openManifest } from '../../shared/release/manifest.ts';
import type { Plan } from '../../shared/release/plan.ts';
import { type ReleaseKey, type SignedText, signerOf } from '../../shared/release/signed.ts';
import { ok } from '../../shared/result.ts';
import type { Secrets } from '../env.ts';
import type { BackgroundWork } from './background-work.ts';
import {
  type AppliedChange,
  type Approvable,
  applied,
  type ChangeRequest,
  type ChangeResult,
  type Refusal,
  refuse,
  refusedRequest,
} from './change-request.ts';
import {
  actsForOthers,
  authoritiesChangedBy,
  checkOverridden,
  checkOwned,
  checkSigner,
} from './ownership.ts';
import { checkPlan, checkPromotable, incomplete, Planner, planMoved, refused } from './promotion.ts';
import type { StoredRelease } from './release-store.ts';
import { rollBack } from './rollback.ts';
import type { Signers } from './signers.ts';
import { counted, FREEING_CHANGE, GROWING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';
import type { ValueCollector } from './value-collector.ts';

export class ReleaseChanges {
  readonly #tables: Tables;
  readonly #collector: ValueCollector;
  readonly #background: BackgroundWork;
  readonly #secrets: Secrets;
  readonly #planner: Planner;
  readonly #recordedRefusals = new WeakSet<Refusal>();
  readonly #signers: Signers;

  constructor(
    tables: Tables,
    collector: ValueCollector,
    background: BackgroundWork,
    kv: KVNamespace,
    secrets: Secrets,
    signers: Signers,
  ) {
    this.#signers = signers;
    this.#tables = tables;
    this.#collector = collector;
    this.#background = background;
    this.#secrets = secrets;
    this.#planner = new Planner(secrets.keys, kv);
  }

  /** Opens the manifest if a currently trusted key signed it. */
  #open(signed: SignedText): ReturnType<typeof openManifest> {
    const { publicKeys, keys } = this.#secrets;
    return openManifest(signed, publicKeys, keys.ids);
  }

  /** The key that signed a text. `#open` must have accepted the text. */
  async #keyOf(signed: SignedText): Promise<ReleaseKey> {
    return (await signerOf(signed, this.#secrets.publicKeys))!;
  }

  /** Stores a signed manifest. Staging it again changes nothing. */
  async stage(
    request: ChangeRequest,
    { signed: text, signature, ...overriding }: Stage,
  ): Promise<ChangeResult<ReleaseInfo>> {
    const signed = { signed: text, signature };
    const { ledger, releases } = this.#tables;
    const known = ledger.begin<ReleaseInfo>(request, GROWING_CHANGE);
    if (known !== null) return known;
    const opened = await this.#open(signed);
    if (!opened.ok) return this.recordRefusal(request, null, refused(opened.code, opened.message));
    const manifest = opened.value;
    const signer = checkSigner((await this.#keyOf(signed)).owner, [], this.#tables);
    if (!signer.ok) return this.recordRefusal(request, null, signer);
    const owned = checkOwned(request, overriding, signer.value, 'the release is signed with the key');
    if (!owned.ok) return this.recordRefusal(request, null, owned);
    const same = releases.get(manifest.release);
    if (same !== null) {
      return same.signed.signed === signed.signed
        ? ok(releases.info(same))
        : refused('RELEASE_NAME_TAKEN', `another release has the name ${manifest.release}: build again`);
    }
    return ledger.transact(request, counted(GROWING_CHANGE), () => {
      releases.insert(manifest, signed, request.actor.name, Date.now());
      const stored = releases.get(manifest.release)!;
      const { base, foldedSeq } = manifest;
      const after = { state: 'staged', base, foldedSeq };
      const audit = [{ action: 'release.stage', subject: manifest.release, before: null, after }];
      return applied(releases.info(stored), audit);
    });
  }

  /** The changes from the current release to this one. */
  async plan(release: string): Promise<ChangeResult<Plan>> {
    const { releases, settings } = this.#tables;
    const stored = releases.get(release);
    if (stored === null) return unknownRelease();
    return this.#planner.plan(releases.current?.manifest ?? null, stored.manifest, settings.guards);
  }

  async promote(
    request: ChangeRequest,
    release: string,
    options: Promote,
  ): Promise<ChangeResult<PromoteDone>> {
    const { ledger, releases, settings } = this.#tables;
    // The work below reads every value of two releases, so it counts even if it ends with a refusal.
    const known = ledger.begin<PromoteDone>(request, FREEING_CHANGE);
    if (known !== null) return known;
    const { guards } = settings;
    const stored = releases.get(release);
    if (stored === null) return unknownRelease();
    const overridden = checkOverridden(options, this.#tables, stored.manifest);
    if (!overridden.ok) return overridden;
    const promotable = checkPromotable(stored, options, this.#tables);
    if (!promotable.ok) return promotable;
    const lastPlan = this.#planner.lastHash(releases.current?.manifest ?? null, stored.manifest, guards);
    if (lastPlan !== null && options.plan !== undefined && options.plan !== lastPlan)
      return planMoved(lastPlan);
    // The key that signed the release may have been revoked since the release was staged.
    const opened = await this.#open(stored.signed);
    if (!opened.ok) return this.recordRefusal(request, release, refused(opened.code, opened.message));
    const key = await this.#keyOf(stored.signed);
    const trusted = this.#signers.check(key);
    if (!trusted.ok) return this.recordRefusal(request, release, trusted);
    // A canary was verified when it became the canary. For any other release, values may have been removed since.
    const verified = stored.state === 'candidate' ? ok(undefined) : await this.#verify(request, stored);
    if (!verified.ok) return verified;
    const plan = await this.plan(release);
    if (!plan.ok) return plan;
    const planned = checkPlan(plan.value, options);
    if (!planned.ok) {
      return planned.code === 'GUARD_HIT' ? this.recordRefusal(request, release, planned) : planned;
    }
    if (plan.value.base !== options.base) return planMoved(plan.value.hash);
    const authorities = authoritiesChangedBy(stored.manifest, plan.value, this.#tables);
    const owned = checkOwned(request, options, authorities, 'the release changes lists');
    if (!owned.ok) return this.recordRefusal(request, release, owned);
    const signer = checkSigner(key.owner, authorities, this.#tables);
    if (!signer.ok) return this.recordRefusal(request, release, signer);
    const done = ledger.change<Omit<PromoteDone, 'seq'>>(request, counted(FREEING_CHANGE), () => {
      // Something may have changed while the release was being verified.
      const now = releases.get(release)!;
      const stillPromotable = checkPromotable(now, options, this.#tables);
      if (!stillPromotable.ok) return stillPromotable;
      if (now.state !== stored.state) {
        return refuse('RELEASE_STATE', `${release} has just become ${now.state}: check it and try again`);
      }
      const missing = blobsOf(now.manifest)
        .map(({ key }) => key)
        .filter((key) => this.#collector.isRemoved(key));
      if (missing.length > 0) return incomplete('values of the release were just removed', missing);
      if (JSON.stringify(settings.guards) !== JSON.stringify(guards)) {
        return refuse('PLAN_MOVED', 'the guards have changed: plan again');
      }
      return this.#switchTo(now, { ...options, plan: plan.value.hash, authorities }, request, {
        kinds: kindsOf(request, options, authorities),
        command: { name: 'promote', release, options },
        revert: { name: 'rollback', options: { release, reason: request.reason } },
      });
    });
    if (done.ok) this.#background.changed();
    return done;
  }

  async #verify(request: ChangeRequest, { release, manifest }: StoredRelease): Promise<ChangeResult<void>> {
    const isRemoved = (key: string): boolean => this.#collector.isRemoved(key);
    const verified = await this.#planner.verify(manifest, isRemoved);
    // A missing value may still arrive. A damaged one stays damaged under its name.
    return !verified.ok && verified.code === 'RELEASE_REFUSED'
      ? this.recordRefusal(request, release, verified, true)
      : verified;
  }

  #switchTo(
    stored: StoredRelease,
    {
      share,
      overrides,
      overrideAuthorities,
      plan,
      authorities,
    }: Promote & { authorities: readonly string[] },
    { actor }: ChangeRequest,
    approvable: Approvable,
  ): ChangeResult<AppliedChange<Omit<PromoteDone, 'seq'>>> {
    const { meta, releases } = this.#tables;
    const { release, state } = stored;
    const before = releases.current;
    const next: ReleaseState = share < 1 ? 'candidate' : 'promoted';
    if (share < 1) releases.setCandidate(release, share, authorities);
    else {
      releases.setPromoted(release, actor.name, Date.now(), authorities);
      // A release that has dropped out of the rollback range does not return to it after a rollback.
      meta.set('backPlace', releases.back.at(-1)?.place ?? releases.current?.place ?? 0);
      this.#dropFolded();
      this.#tables.registeredSenders.dropReleased();
    }
    const audit: AuditEntry = {
      action: 'release.promote',
      subject: release,
      before: { state, current: before?.release ?? null },
      after: {
        ...{ state: next, share, overrides, overrideAuthorities, plan, authorities },
        current: releases.current?.release ?? null,
      },
    };
    return applied({ release, state: next, share }, [audit], approvable);
  }

  /** Drops the live entries that every readable release has folded in. */
  #dropFolded(): void {
    const { meta, live, releases, feed } = this.#tables;
    const folded = Math.min(...releases.readable.map(({ manifest }) => manifest.foldedSeq));
    if (folded <= meta.number('droppedSeq')) return;
    feed.keepUnread(folded);
    live.dropFolded(folded);
    meta.set('droppedSeq', folded);
  }

  async rollback(request: ChangeRequest, options: Rollback): Promise<ChangeResult<RollbackDone>> {
    const done = await rollBack(request, options, this.#tables, (signed) => this.#open(signed));
    if (done.ok) this.#background.changed();
    return done;
  }

  /**
   * Records that a release was refused, and why. Records each refusal once, even if the budget for growing changes is
   * used up, because an attempt that hits a guard must leave a trace.
   * @param final whether the release can never be promoted @returns the refusal
   */
  recordRefusal(request: ChangeRequest, release: string | null, refusal: Refusal, final = false): Refusal {
    if (this.#recordedRefusals.has(refusal)) return refusal;
    this.#recordedRefusals.add(refusal);
    const { ledger, releases } = this.#tables;
    const stored = release === null ? null : releases.get(release);
    const code = refusal.extras?.refusal ?? refusal.code;
    ledger.transact(refusedRequest(request), FREEING_CHANGE, () => {
      if (stored !== null) releases.setRefusal(stored.release, code, refusal.message, final);
      const audit: AuditEntry = {
        action: 'release.refuse',
        subject: stored?.release ?? 'unknown',
        before: stored === null ? null : { state: stored.state },
        after: { code, message: refusal.message, overridable: refusal.code === 'GUARD_HIT' },
      };
      return applied({}, [audit]);
    });
    return refusal;
  }
}

/** The kinds of a promotion. */
function kindsOf(
  request: ChangeRequest,
  options: Promote,
  authorities: readonly string[],
): Approvable['kinds'] {
  return [
    ...(options.overrides.length > 0 ? (['guardOverride'] as const) : []),
    ...(actsForOthers(request, options, authorities) ? (['actForOthers'] as const) : []),
    ...(options.share === 1 ? (['fullShare'] as const) : []),
  ];
}

function unknownRelease(): Refusal {
  return refuse('RELEASE_UNKNOWN', 'there is no release of this name: push it first');
}
