/**
 * Changes of text releases: push, promote (to a share of the data centres, or to all), withdraw, roll back. Signatures are
 * checked before the transaction, which checks everything else.
 */
import type {
  PromoteText,
  PutTextRelease,
  TextChangeDone,
  TextPlan,
  TextReleaseInfo,
} from '../../shared/admin/text.ts';
import { remainingGuards } from '../../shared/release/guard-settings.ts';
import { ok, type Result } from '../../shared/result.ts';
import { textGuardsOf } from '../../shared/text/text-guards.ts';
import type { TextManifest } from '../../shared/text/text-manifest.ts';
import { type ControlEnv, openSecrets, type Secrets } from '../env.ts';
import type { Author } from '../storage/audit-chain.ts';
import { refuse, type StoreRefusal, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { checkRelease, openSigned, refused } from './release-check.ts';
import type { TextReleaseRow } from './release-rows.ts';
import type { TextTables } from './tables.ts';

/** A change that was made. The store adds whether the head has it. */
export type ReleaseChange = Omit<TextChangeDone, 'published'>;

const UNKNOWN = refuse('TEXT_RELEASE_UNKNOWN', 'no text release has this name');

export class ReleaseChanges {
  readonly #tables: TextTables;
  readonly #env: ControlEnv;

  constructor(tables: TextTables, env: ControlEnv) {
    this.#tables = tables;
    this.#env = env;
  }

  info(row: TextReleaseRow): TextReleaseInfo {
    const { release, manifest, state, share, pushedAt, pushedBy, promotedAt } = row;
    return {
      ...{ release, manifest, state },
      ...(share === null ? {} : { share }),
      ...{ pushedAt: new Date(pushedAt).toISOString(), pushedBy },
      promotedAt: promotedAt === null ? null : new Date(promotedAt).toISOString(),
    };
  }

  /** Pushes a release. Pushing the same release again changes nothing. */
  async push(request: StoreRequest, body: PutTextRelease): Promise<StoreResult<TextReleaseInfo>> {
    const { releases, audit } = this.#tables;
    const charged = this.#tables.chargePush(request.actor, Date.now());
    if (charged !== null) return charged;
    const secrets = await this.#secrets();
    if (!secrets.ok) return secrets;
    const checked = await checkRelease(body, secrets.value);
    if (!checked.ok) return checked;
    const { manifest, values } = checked.value;
    const { release, base, model, hosts } = manifest;
    return this.#tables.transact<TextReleaseInfo>(request, 1, (author) => {
      const same = releases.get(release);
      if (same !== null) {
        return same.signed.signed === body.manifest.signed
          ? ok(this.info(same))
          : refused('RELEASE_NAME_TAKEN', `another text release has the name ${release}: build again`);
      }
      releases.insert(
        { release, signed: body.manifest, pushedAt: author.at, pushedBy: author.actor },
        values,
      );
      this.#tables.prune(release);
      const after = { state: 'pushed', base, model: model?.name ?? null, hosts: hosts?.count ?? 0 };
      audit.append(author, release, { action: 'textRelease.push', before: null, after });
      return ok(this.info(releases.get(release)!));
    });
  }

  /** The guards that a release hits, compared with the release in force. */
  plan(release: string): StoreResult<TextPlan> {
    const row = this.#tables.releases.get(release);
    if (row === null) return UNKNOWN;
    const base = this.#tables.releases.current;
    const guards = textGuardsOf(base?.manifest ?? null, row.manifest);
    return ok({ release, base: base?.release ?? null, guards });
  }

  async promote(
    request: StoreRequest,
    release: string,
    options: PromoteText,
  ): Promise<StoreResult<ReleaseChange>> {
    const trusted = await this.#trusted(this.#tables.releases.get(release));
    if (!trusted.ok) return trusted;
    const apply = (author: Author): StoreResult<ReleaseChange> => this.#promote(author, release, options);
    if (!options.dryRun) return this.#tables.transact(request, 0, apply);
    const { actor, reason } = request;
    const author = { actor: actor.name, reason, at: Date.now() };
    return this.#tables.transactions.rehearse(0, () => {
      const done = apply(author);
      // A rehearsal leaves the version as it was.
      return done.ok ? ok({ ...done.value, version: done.value.version - 1, dryRun: true as const }) : done;
    });
  }

  #promote(
    author: Author,
    release: string,
    { base, share, overrides, dryRun }: PromoteText,
  ): StoreResult<ReleaseChange> {
    const { releases, audit, publication, meta } = this.#tables;
    const row = releases.get(release);
    if (row === null) return UNKNOWN;
    const { current, candidate } = releases;
    const currentName = current?.release ?? null;
    if (currentName !== base) {
      const message = `you expected ${base ?? 'no text release'} to be in force, but ${currentName ?? 'none'} is: plan again`;
      return refuse('BASE_MOVED', message, { base, current: currentName });
    }
    if (row.state === 'current') return refuse('RELEASE_STATE', `${release} is already in force`);
    if (candidate !== null && candidate.release !== release) {
      const message = `${candidate.release} is the canary: promote it to all, or withdraw it first`;
      return refuse('RELEASE_STATE', message);
    }
    const guards = textGuardsOf(current?.manifest ?? null, row.manifest);
    const remaining = dryRun ? [] : remainingGuards({ guards }, overrides);
    if (remaining.length > 0) {
      const names = [...new Set(remaining.map(({ guard }) => guard))].join(', ');
      return refuse('GUARD_HIT', `the text release hits these guards: ${names}`, { guards: remaining });
    }
    if (share < 1) releases.setCandidate(release, share, author.at);
    else {
      releases.setCurrent(release, author.at);
      if (current !== null) releases.setEnded(current.release, 'former');
      meta.set('back', [...this.#tables.back, currentName]);
    }
    publication.changed();
    const after = share < 1 ? { state: 'candidate', share } : { state: 'current' };
    audit.append(author, release, {
      action: 'textRelease.promote',
      before: { state: row.state, ...(row.share === null ? {} : { share: row.share }), current: currentName },
      after: { ...after, ...(guards.length === 0 ? {} : { overrides: guards.map(({ guard }) => guard) }) },
    });
    return ok({ ...this.#done(release), ...(guards.length === 0 ? {} : { guards }) });
  }

  /** Ends the canary, if it is this release: every data centre uses the current release again. */
  withdraw(request: StoreRequest, release: string): StoreResult<ReleaseChange> {
    return this.#tables.transact<ReleaseChange>(request, 0, (author) => {
      const row = this.#tables.releases.get(release);
      if (row === null) return UNKNOWN;
      if (row.state !== 'candidate')
        return refuse('RELEASE_STATE', `${release} is ${row.state}: only a canary can be withdrawn`);
      return this.#withdraw(author, row, 'textRelease.withdraw');
    });
  }

  /** Undoes the last step: the candidate if there is one, otherwise the current release. */
  async rollBack(request: StoreRequest, expected: string | undefined): Promise<StoreResult<ReleaseChange>> {
    const { releases } = this.#tables;
    const target = releases.candidate === null ? (this.#tables.back.at(-1) ?? null) : null;
    const trusted = target === null ? ok(undefined) : await this.#trusted(releases.get(target));
    if (!trusted.ok)
      return refuse('ROLLBACK_IMPOSSIBLE', `the edge would refuse ${target}: ${trusted.message}`);
    return this.#tables.transact<ReleaseChange>(request, 0, (author) => {
      const { candidate, current } = releases;
      const last = candidate ?? current;
      if (last === null) return refuse('ROLLBACK_IMPOSSIBLE', 'no text release is in force');
      if (expected !== undefined && expected !== last.release) {
        const message = `the last step was ${last.release}, not ${expected}`;
        return refuse('BASE_MOVED', message, { base: expected, current: last.release });
      }
      if (candidate !== null) return this.#withdraw(author, candidate, 'textRelease.rollback');
      const { back } = this.#tables;
      const before = back.at(-1);
      if (before === undefined)
        return refuse('ROLLBACK_IMPOSSIBLE', 'the release before the current one is no longer kept');
      if (before !== target)
        return refuse(
          'BASE_MOVED',
          'another text release became current: check the status and roll back again',
        );
      return this.#withdraw(author, last, 'textRelease.rollback', before);
    });
  }

  /** @param next the release that becomes current; undefined if that does not change, null for none */
  #withdraw(
    author: Author,
    row: TextReleaseRow,
    action: 'textRelease.withdraw' | 'textRelease.rollback',
    next?: string | null,
  ): StoreResult<ReleaseChange> {
    const { releases, audit, publication, meta } = this.#tables;
    const current = releases.current?.release ?? null;
    releases.setEnded(row.release, 'withdrawn');
    if (next !== undefined) {
      if (next !== null) releases.setCurrent(next, author.at);
      meta.set('back', this.#tables.back.slice(0, -1));
    }
    publication.changed();
    audit.append(author, row.release, {
      action,
      before: { state: row.state, ...(row.share === null ? {} : { share: row.share }), current },
      after: { state: 'withdrawn', current: next === undefined ? current : next },
    });
    return ok(this.#done(row.release));
  }

  #done(release: string): ReleaseChange {
    const { releases, publication } = this.#tables;
    const { state, share } = releases.get(release)!;
    return {
      ...{ release, state, ...(share === null ? {} : { share }) },
      ...{ current: releases.current?.release ?? null, version: publication.version },
    };
  }

  /** Whether the edge would accept the release now: keys may have been removed since it was pushed. */
  async #trusted(row: TextReleaseRow | null): Promise<Result<TextManifest, StoreRefusal>> {
    if (row === null) return UNKNOWN;
    const secrets = await this.#secrets();
    if (!secrets.ok) return secrets;
    const { ids } = secrets.value.keys;
    const foreign = this.#tables.releases.valuesOf([row]).find(({ keyId }) => !ids.includes(keyId));
    if (foreign !== undefined) {
      const message = `${row.release} was made with LIST_KEY ${foreign.keyId}, which was removed: build again`;
      return refused('KEY_FOREIGN', message);
    }
    return openSigned(row.signed, secrets.value);
  }

  #secrets(): Promise<Result<Secrets, StoreRefusal>> {
    return openSecrets(this.#env);
  }
}
