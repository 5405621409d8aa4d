/**
 * Orders that change which release is current: stage, promote (to a share of the data centres, or to
 * all), roll back. A release is verified and compared before the transaction, and what that was based on
 * is compared again inside it.
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
import { type Plan, remainingGuards } from '../../shared/release/plan.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import type { Secrets } from '../env.ts';
import type { Ledger } from './ledger.ts';
import type { LiveStore } from './live-store.ts';
import { type Made, made, type Order, type Outcome, type Refusal, refuse } from './order.ts';
import { baseMoved, incomplete, Planner, PROMOTABLE, planMoved, refused, verifyValues } from './promotion.ts';
import { type ReleaseStore, releaseInfo, type StoredRelease } from './release-store.ts';
import { counted, GROWTH, RELIEF } from './room.ts';

interface Stores {
  readonly ledger: Ledger;
  readonly live: LiveStore;
  readonly releases: ReleaseStore;
  readonly guards: GuardSettings;
}

interface Surroundings {
  readonly kv: KVNamespace;
  readonly secrets: Secrets;
  readonly isRemoved: (key: string) => boolean;
  /** To be called after every change of the head. */
  readonly changed: () => void;
}

export class ReleaseChanges {
  readonly #stores: Stores;
  readonly #around: Surroundings;
  readonly #planner: Planner;

  constructor(stores: Stores, around: Surroundings) {
    this.#stores = stores;
    this.#around = around;
    this.#planner = new Planner(around.secrets.keys, around.kv);
  }

  list(limit: number): ReleaseInfo[] {
    const { releases } = this.#stores;
    return releases.list(limit).map((stored) => releaseInfo(stored, releases.isReadable(stored.release)));
  }

  /** The manifest, if a key that is trusted now signed it. */
  #open(signed: SignedText): ReturnType<typeof openManifest> {
    const { publicKeys, keys } = this.#around.secrets;
    return openManifest(signed, publicKeys, keys.keyId);
  }

  /** Take a signed manifest in. Staging it again changes nothing. */
  async stage(order: Order, signed: SignedText): Promise<Outcome<ReleaseInfo>> {
    const { ledger, releases } = this.#stores;
    const known = ledger.begin<ReleaseInfo>(order, GROWTH);
    if (known !== null) return known;
    const opened = await this.#open(signed);
    if (!opened.ok) return this.recordRefusal(order, null, refused(opened.code, opened.message), false);
    const manifest = opened.value;
    const same = releases.get(manifest.release);
    if (same !== null) {
      if (same.signed.signed === signed.signed)
        return { ok: true, value: releaseInfo(same, releases.isReadable(same.release)) };
      return refused('RELEASE_NAME_TAKEN', `there is another release ${manifest.release}`);
    }
    return ledger.note(order, counted(GROWTH), () => {
      releases.insert(manifest, signed, order.actor.name, Date.now());
      const stored = releases.get(manifest.release)!;
      const { base, foldedSeq } = manifest;
      const after = { state: 'staged', base, foldedSeq };
      const audit = [{ action: 'release.stage', subject: manifest.release, before: null, after }];
      return made(releaseInfo(stored, false), audit);
    });
  }

  /** What a release would change against the current one. */
  async plan(release: string): Promise<Outcome<Plan>> {
    const { releases, guards } = this.#stores;
    const stored = releases.get(release);
    if (stored === null) return refuse('RELEASE_UNKNOWN', 'there is no release of this name');
    return this.#planner.plan(releases.current?.manifest ?? null, stored.manifest, guards);
  }

  async promote(order: Order, release: string, wish: Promote): Promise<Outcome<PromoteDone>> {
    const { ledger, releases, guards } = this.#stores;
    // What follows reads every value of two releases: it counts, also where it ends with a refusal.
    const known = ledger.begin<PromoteDone>(order, RELIEF);
    if (known !== null) return known;
    const stored = releases.get(release);
    if (stored === null) return refuse('RELEASE_UNKNOWN', 'there is no release of this name: stage it first');
    const unfit = this.#unfit(stored, wish);
    if (unfit !== null) return unfit;
    const lastPlan = this.#planner.lastHash(releases.current?.manifest ?? null, stored.manifest, guards);
    if (lastPlan !== null && wish.plan !== undefined && wish.plan !== lastPlan) return planMoved(lastPlan);
    // A key that signed it may have been taken back since it was staged.
    const opened = await this.#open(stored.signed);
    if (!opened.ok) return this.recordRefusal(order, release, refused(opened.code, opened.message), false);
    // A candidate was verified when it became one; of any other, values may have been removed since.
    const damaged = stored.state === 'candidate' ? null : await this.#verify(order, stored);
    if (damaged !== null) return damaged;
    const plan = await this.plan(release);
    if (!plan.ok) return plan;
    const against = this.#against(plan.value, wish);
    if (against !== null) {
      return against.code === 'GUARD_HIT' ? this.recordRefusal(order, release, against, false) : against;
    }
    const done = ledger.change<Omit<PromoteDone, 'seq'>>(order, counted(RELIEF), () => {
      // Others may have changed something while the release was being verified.
      const now = releases.get(release)!;
      const moved = this.#unfit(now, wish);
      if (moved !== null) return moved;
      if (now.state !== stored.state) {
        return refuse('RELEASE_STATE', `${release} became ${now.state} meanwhile: look, and try again`);
      }
      const missing = blobsOf(now.manifest)
        .map(({ key }) => key)
        .filter(this.#around.isRemoved);
      if (missing.length > 0) return incomplete('values were removed meanwhile', missing);
      if (JSON.stringify(this.#stores.guards) !== JSON.stringify(guards)) {
        return refuse('PLAN_MOVED', 'the guards were changed meanwhile: plan again');
      }
      return this.#switchTo(now, { ...wish, plan: plan.value.hash }, order);
    });
    if (done.ok) this.#around.changed();
    return done;
  }

  /** Why a release cannot be promoted as things are, or null. */
  #unfit(stored: StoredRelease, { base, share }: Promote): Refusal | null {
    const { ledger, releases } = this.#stores;
    const { release, state, manifest, refusal } = stored;
    const current = releases.current?.release ?? null;
    if (current !== base) return baseMoved(releases, base, current);
    if (state === 'refused') return refused(refusal?.code ?? 'REFUSED', refusal?.message ?? 'it was refused');
    if (!PROMOTABLE.includes(state)) return refuse('RELEASE_STATE', `${release} is ${state}`);
    const { candidate } = releases;
    if (candidate !== null && candidate.release !== release) {
      return refuse(
        'RELEASE_STATE',
        `${candidate.release} is on trial: promote it to all, or roll it back first`,
      );
    }
    if (share < 1 && current === null) {
      return refuse('RELEASE_STATE', 'the first release goes to all: there is none for the others');
    }
    const dropped = ledger.droppedSeq;
    if (manifest.foldedSeq < dropped) {
      return refused(
        'FOLD_BEHIND',
        `it folds in live changes up to ${manifest.foldedSeq}, those up to ${dropped} are in no other place: build again`,
      );
    }
    if (manifest.foldedSeq > ledger.seq) {
      return refused(
        'FOLD_AHEAD',
        `it folds in live changes up to ${manifest.foldedSeq}, there are ${ledger.seq}`,
      );
    }
    return null;
  }

  async #verify(order: Order, stored: StoredRelease): Promise<Refusal | null> {
    const { kv, secrets, isRemoved } = this.#around;
    const wrong = await verifyValues(stored.manifest, secrets.keys, kv, isRemoved);
    // What is not there yet may come; what is damaged stays damaged under its name.
    if (wrong?.code === 'RELEASE_REFUSED') this.recordRefusal(order, stored.release, wrong, true);
    return wrong;
  }

  #against(plan: Plan, { plan: hash, overrides }: Promote): Refusal | null {
    if (hash !== undefined && hash !== plan.hash) return planMoved(plan.hash);
    const guards = remainingGuards(plan, overrides);
    if (guards.length === 0) return null;
    const names = [...new Set(guards.map(({ guard }) => guard))].join(', ');
    return refuse('GUARD_HIT', `guards are hit: ${names}`, { guards, plan: plan.hash });
  }

  #switchTo(
    stored: StoredRelease,
    { share, overrides, plan }: Promote,
    { actor }: Order,
  ): Outcome<Made<Omit<PromoteDone, 'seq'>>> {
    const { releases } = this.#stores;
    const { release, state } = stored;
    const before = releases.current;
    const next: ReleaseState = share < 1 ? 'candidate' : 'promoted';
    if (share < 1) releases.setCandidate(release, share);
    else {
      releases.setPromoted(release, actor.name, Date.now());
      // What has left the way back does not come into it again when a release is rolled back.
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
    return made({ release, state: next, share }, [audit]);
  }

  /** Drop the live entries that every release that can still be read has folded in. */
  #dropFolded(): void {
    const { ledger, live, releases } = this.#stores;
    const folded = Math.min(...releases.readable.map(({ manifest }) => manifest.foldedSeq));
    if (folded <= ledger.droppedSeq) return;
    live.dropFolded(folded);
    ledger.set('droppedSeq', String(folded));
  }

  async rollback(order: Order, { release: expected }: Rollback): Promise<Outcome<RollbackDone>> {
    const { ledger, releases } = this.#stores;
    const known = ledger.begin<RollbackDone>(order, RELIEF);
    if (known !== null) return known;
    const targetNow = (): StoredRelease | null =>
      releases.candidate === null ? (releases.back[0] ?? null) : releases.current;
    const target = targetNow();
    const opened = target === null ? null : await this.#open(target.signed);
    if (opened?.ok === false) {
      return refuse('ROLLBACK_IMPOSSIBLE', `edges would refuse ${target?.release}: ${opened.message}`);
    }
    const done = ledger.change<Omit<RollbackDone, 'seq'>>(order, counted(RELIEF), () => {
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
      return made({ withdrawn: last.release, current: previous.release }, [audit]);
    });
    if (done.ok) this.#around.changed();
    return done;
  }

  /**
   * Write down that a release was refused, and why: also where the budget for growth is used up, as an attempt against
   * a guard must leave a trace.
   * @param final whether it never can be promoted
   */
  recordRefusal(order: Order, release: string | null, refusal: Refusal, final: boolean): Refusal {
    const stored = release === null ? null : this.#stores.releases.get(release);
    const code = refusal.extras?.refusal ?? refusal.code;
    const { ledger, releases } = this.#stores;
    ledger.note({ ...order, repeat: null }, RELIEF, () => {
      if (stored !== null) releases.setRefusal(stored.release, code, refusal.message, final);
      const audit: AuditEntry = {
        action: 'release.refuse',
        subject: stored?.release ?? 'unknown',
        before: stored === null ? null : { state: stored.state },
        after: { code, message: refusal.message, overridable: refusal.code === 'GUARD_HIT' },
      };
      return made({}, [audit]);
    });
    return refusal;
  }
}
