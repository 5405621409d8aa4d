/**
 * Changes of the current release: stage, promote (to a share of the data centres, or to all), roll back. A
 * release is verified and planned before the transaction. The transaction checks again that nothing it
 * depends on has changed.
 */
import type {
  Promote,
  PromoteDone,
  ReleaseInfo,
  ReleaseState,
  Rollback,
  RollbackDone,
} from '../../shared/admin.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import type { GuardSettings } from '../../shared/release/guards.ts';
import { blobsOf, openManifest } from '../../shared/release/manifest.ts';
import type { Plan } from '../../shared/release/plan.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { Secrets } from '../env.ts';
import {
  type AppliedChange,
  applied,
  type ChangeRequest,
  type ChangeResult,
  type Refusal,
  refuse,
} from './change-request.ts';
import type { Ledger } from './ledger.ts';
import type { LiveStore } from './live-store.ts';
import {
  checkPromotable,
  incomplete,
  Planner,
  planMoved,
  refused,
  unmetPlan,
  verifyValues,
} from './promotion.ts';
import { type ReleaseStore, releaseInfo, type StoredRelease } from './release-store.ts';
import { counted, FREEING_CHANGE, GROWING_CHANGE } from './storage-budget.ts';

interface Stores {
  readonly ledger: Ledger;
  readonly live: LiveStore;
  readonly releases: ReleaseStore;
  readonly guards: GuardSettings;
}

interface Dependencies {
  readonly kv: KVNamespace;
  readonly secrets: Secrets;
  readonly isRemoved: (key: string) => boolean;
  /** Must be called after every change of the head. */
  readonly changed: () => void;
}

export class ReleaseChanges {
  readonly #stores: Stores;
  readonly #deps: Dependencies;
  readonly #planner: Planner;

  constructor(stores: Stores, deps: Dependencies) {
    this.#stores = stores;
    this.#deps = deps;
    this.#planner = new Planner(deps.secrets.keys, deps.kv);
  }

  list(limit: number): ReleaseInfo[] {
    const { releases } = this.#stores;
    return releases.list(limit).map((stored) => releaseInfo(stored, releases.isReadable(stored.release)));
  }

  /** Opens the manifest if a currently trusted key signed it. */
  #open(signed: SignedText): ReturnType<typeof openManifest> {
    const { publicKeys, keys } = this.#deps.secrets;
    return openManifest(signed, publicKeys, keys.keyId);
  }

  /** Stores a signed manifest. Staging it again changes nothing. */
  async stage(request: ChangeRequest, signed: SignedText): Promise<ChangeResult<ReleaseInfo>> {
    const { ledger, releases } = this.#stores;
    const known = ledger.begin<ReleaseInfo>(request, GROWING_CHANGE);
    if (known !== null) return known;
    const opened = await this.#open(signed);
    if (!opened.ok) return this.recordRefusal(request, null, refused(opened.code, opened.message), false);
    const manifest = opened.value;
    const same = releases.get(manifest.release);
    if (same !== null) {
      if (same.signed.signed === signed.signed)
        return { ok: true, value: releaseInfo(same, releases.isReadable(same.release)) };
      return refused('RELEASE_NAME_TAKEN', `there is another release ${manifest.release}`);
    }
    return ledger.note(request, counted(GROWING_CHANGE), () => {
      releases.insert(manifest, signed, request.actor.name, Date.now());
      const stored = releases.get(manifest.release)!;
      const { base, foldedSeq } = manifest;
      const after = { state: 'staged', base, foldedSeq };
      const audit = [{ action: 'release.stage', subject: manifest.release, before: null, after }];
      return applied(releaseInfo(stored, false), audit);
    });
  }

  /** The changes from the current release to this one. */
  async plan(release: string): Promise<ChangeResult<Plan>> {
    const { releases, guards } = this.#stores;
    const stored = releases.get(release);
    if (stored === null) return refuse('RELEASE_UNKNOWN', 'there is no release of this name');
    return this.#planner.plan(releases.current?.manifest ?? null, stored.manifest, guards);
  }

  async promote(
    request: ChangeRequest,
    release: string,
    options: Promote,
  ): Promise<ChangeResult<PromoteDone>> {
    const { ledger, releases, guards } = this.#stores;
    // The work below reads every value of two releases, so it counts even if it ends with a refusal.
    const known = ledger.begin<PromoteDone>(request, FREEING_CHANGE);
    if (known !== null) return known;
    const stored = releases.get(release);
    if (stored === null) return refuse('RELEASE_UNKNOWN', 'there is no release of this name: stage it first');
    const unfit = checkPromotable(stored, options, this.#stores);
    if (unfit !== null) return unfit;
    const lastPlan = this.#planner.lastHash(releases.current?.manifest ?? null, stored.manifest, guards);
    if (lastPlan !== null && options.plan !== undefined && options.plan !== lastPlan)
      return planMoved(lastPlan);
    // The key that signed it may have been revoked since it was staged.
    const opened = await this.#open(stored.signed);
    if (!opened.ok) return this.recordRefusal(request, release, refused(opened.code, opened.message), false);
    // A canary was verified when it became one. For any other release, values may have been removed since.
    const damaged = stored.state === 'candidate' ? null : await this.#verify(request, stored);
    if (damaged !== null) return damaged;
    const plan = await this.plan(release);
    if (!plan.ok) return plan;
    const hit = unmetPlan(plan.value, options);
    if (hit !== null) {
      return hit.code === 'GUARD_HIT' ? this.recordRefusal(request, release, hit, false) : hit;
    }
    const done = ledger.change<Omit<PromoteDone, 'seq'>>(request, counted(FREEING_CHANGE), () => {
      // Something may have changed while the release was being verified.
      const now = releases.get(release)!;
      const moved = checkPromotable(now, options, this.#stores);
      if (moved !== null) return moved;
      if (now.state !== stored.state) {
        return refuse('RELEASE_STATE', `${release} became ${now.state} meanwhile: look, and try again`);
      }
      const missing = blobsOf(now.manifest)
        .map(({ key }) => key)
        .filter(this.#deps.isRemoved);
      if (missing.length > 0) return incomplete('values were removed meanwhile', missing);
      if (JSON.stringify(this.#stores.guards) !== JSON.stringify(guards)) {
        return refuse('PLAN_MOVED', 'the guards were changed meanwhile: plan again');
      }
      return this.#switchTo(now, { ...options, plan: plan.value.hash }, request);
    });
    if (done.ok) this.#deps.changed();
    return done;
  }

  async #verify(request: ChangeRequest, stored: StoredRelease): Promise<Refusal | null> {
    const { kv, secrets, isRemoved } = this.#deps;
    const wrong = await verifyValues(stored.manifest, secrets.keys, kv, isRemoved);
    // A missing value may still arrive. A damaged one stays damaged under its name.
    if (wrong?.code === 'RELEASE_REFUSED') this.recordRefusal(request, stored.release, wrong, true);
    return wrong;
  }

  #switchTo(
    stored: StoredRelease,
    { share, overrides, plan }: Promote,
    { actor }: ChangeRequest,
  ): ChangeResult<AppliedChange<Omit<PromoteDone, 'seq'>>> {
    const { releases } = this.#stores;
    const { release, state } = stored;
    const before = releases.current;
    const next: ReleaseState = share < 1 ? 'candidate' : 'promoted';
    if (share < 1) releases.setCandidate(release, share);
    else {
      releases.setPromoted(release, actor.name, Date.now());
      // A release that has dropped out of the rollback range does not return to it after a rollback.
      this.#stores.ledger.set(
        'backPlace',
        String(releases.back.at(-1)?.place ?? releases.current?.place ?? 0),
      );
      this.#dropFolded();
    }
    const audit: AuditEntry = {
      action: 'release.promote',
      subject: release,
      before: { state, current: before?.release ?? null },
      after: { state: next, share, overrides, plan, current: releases.current?.release ?? null },
    };
    return applied({ release, state: next, share }, [audit]);
  }

  /** Drops the live entries that every readable release has folded in. */
  #dropFolded(): void {
    const { ledger, live, releases } = this.#stores;
    const folded = Math.min(...releases.readable.map(({ manifest }) => manifest.foldedSeq));
    if (folded <= ledger.droppedSeq) return;
    live.dropFolded(folded);
    ledger.set('droppedSeq', String(folded));
  }

  async rollback(
    request: ChangeRequest,
    { release: expected }: Rollback,
  ): Promise<ChangeResult<RollbackDone>> {
    const { ledger, releases } = this.#stores;
    const known = ledger.begin<RollbackDone>(request, FREEING_CHANGE);
    if (known !== null) return known;
    const targetNow = (): StoredRelease | null =>
      releases.candidate === null ? (releases.back[0] ?? null) : releases.current;
    const target = targetNow();
    const opened = target === null ? null : await this.#open(target.signed);
    if (opened?.ok === false) {
      return refuse('ROLLBACK_IMPOSSIBLE', `edges would refuse ${target?.release}: ${opened.message}`);
    }
    const done = ledger.change<Omit<RollbackDone, 'seq'>>(request, counted(FREEING_CHANGE), () => {
      const { current, candidate } = releases;
      const last = candidate ?? current;
      const previous = targetNow();
      if (last === null || previous === null) {
        return refuse('ROLLBACK_IMPOSSIBLE', 'there is no release before the current one');
      }
      if (previous.manifest.foldedSeq < ledger.droppedSeq) {
        return refuse(
          'ROLLBACK_IMPOSSIBLE',
          `${previous.release} has not folded in live changes that are in no other place any more: build again`,
        );
      }
      if (previous.release !== target?.release) {
        return refuse('BASE_MOVED', 'another release became current meanwhile: look, and roll back again', {
          current: current?.release ?? null,
        });
      }
      if (expected !== undefined && expected !== last.release) {
        return refuse('BASE_MOVED', `the last step was ${last.release}, not ${expected}`, {
          base: expected,
          current: last.release,
        });
      }
      const state = releases.withdraw(last, Date.now());
      releases.setState(previous.release, 'promoted');
      const audit: AuditEntry = {
        action: 'release.rollback',
        subject: last.release,
        before: { state: last.state, current: current?.release ?? null },
        after: { state, current: previous.release },
      };
      return applied({ withdrawn: last.release, current: previous.release }, [audit]);
    });
    if (done.ok) this.#deps.changed();
    return done;
  }

  /**
   * Records that a release was refused, and why. Works even if the budget for growth is used up, because an
   * attempt against a guard must leave a trace.
   * @param final whether it can never be promoted
   */
  recordRefusal(request: ChangeRequest, release: string | null, refusal: Refusal, final: boolean): Refusal {
    const stored = release === null ? null : this.#stores.releases.get(release);
    const code = refusal.extras?.refusal ?? refusal.code;
    const { ledger, releases } = this.#stores;
    ledger.note({ ...request, repeat: null }, FREEING_CHANGE, () => {
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
