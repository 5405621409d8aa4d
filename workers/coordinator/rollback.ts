/**
 * Rolls back the last step: the canary if there is one, otherwise the current release.
 */
import type { Rollback, RollbackDone } from '../../shared/admin/releases.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { authoritiesIn } from '../../shared/release/authorities.ts';
import { PUSH_GUARDS } from '../../shared/release/guard-settings.ts';
import type { openManifest } from '../../shared/release/manifest.ts';
import type { SignedText } from '../../shared/release/signed.ts';
import { applied, type ChangeRequest, type ChangeResult, refuse } from './change-request.ts';
import { actsForOthers, checkOverridden, checkOwned } from './ownership.ts';
import type { StoredRelease } from './release-store.ts';
import { counted, FREEING_CHANGE } from './storage-budget.ts';
import type { Tables } from './tables.ts';

/** @param open opens a manifest if a currently trusted key signed it */
export async function rollBack(
  request: ChangeRequest,
  options: Rollback,
  tables: Tables,
  open: (signed: SignedText) => ReturnType<typeof openManifest>,
): Promise<ChangeResult<RollbackDone>> {
  const { release: expected } = options;
  const { meta, ledger, releases } = tables;
  const known = ledger.begin<RollbackDone>(request, FREEING_CHANGE);
  if (known !== null) return known;
  const overridden = checkOverridden(options, tables);
  if (!overridden.ok) return overridden;
  const targetNow = (): StoredRelease | null =>
    releases.candidate === null ? (releases.back[0] ?? null) : releases.current;
  const target = targetNow();
  const opened = target === null ? null : await open(target.signed);
  if (opened?.ok === false) {
    const message = `the edge would refuse ${target?.release}: ${opened.message}`;
    return refuse('ROLLBACK_IMPOSSIBLE', message);
  }
  return ledger.change<Omit<RollbackDone, 'seq'>>(request, counted(FREEING_CHANGE), () => {
    const { current, candidate } = releases;
    const last = candidate ?? current;
    const previous = targetNow();
    if (last === null || previous === null) {
      return refuse('ROLLBACK_IMPOSSIBLE', 'there is no release before the current one');
    }
    if (previous.manifest.foldedSeq < meta.number('droppedSeq')) {
      const message = `${previous.release} lacks live changes that only newer releases contain: build again`;
      return refuse('ROLLBACK_IMPOSSIBLE', message);
    }
    if (previous.release !== target?.release) {
      const message = 'another release became current: check the status and roll back again';
      return refuse('BASE_MOVED', message, { extras: { current: current?.release ?? null } });
    }
    if (expected !== undefined && expected !== last.release) {
      const extras = { base: expected, current: last.release };
      return refuse('BASE_MOVED', `the last step was ${last.release}, not ${expected}`, { extras });
    }
    // A rollback reverts what the last step changed.
    const authorities = last.authorities ?? authoritiesIn(last.manifest, previous.manifest);
    const owned = checkOwned(request, options, authorities, 'the last step changed lists');
    if (!owned.ok) return owned;
    const state = releases.withdraw(last, Date.now());
    releases.setState(previous.release, 'promoted');
    const audit: AuditEntry = {
      action: 'release.rollback',
      subject: last.release,
      before: { state: last.state, current: current?.release ?? null },
      after: { state, overrideAuthorities: options.overrideAuthorities, current: previous.release },
    };
    const again = { base: previous.release, share: 1, overrides: [...PUSH_GUARDS], reason: request.reason };
    return applied({ withdrawn: last.release, current: previous.release }, [audit], {
      // A rollback returns to an earlier current release, so only acting for other authorities can wait.
      kinds: actsForOthers(request, options, authorities) ? ['actForOthers'] : [],
      command: { name: 'rollback', options: { ...options, release: last.release } },
      revert: { name: 'promote', release: last.release, options: { ...again, share: last.share ?? 1 } },
    });
  });
}
