/** `numgate releases`, `promote`, `rollback`: which releases the coordinator has, and which is current. */
import type {
  Promote,
  PromoteDone,
  ReleaseInfo,
  Rollback,
  RollbackDone,
  StatusInfo,
} from '../../shared/admin.ts';
import type { Admin } from '../admin.ts';

/** Newest first. */
export async function listReleases(admin: Admin): Promise<ReleaseInfo[]> {
  return (await admin.get<{ releases: ReleaseInfo[] }>('releases')).releases;
}

/** Makes a release of the coordinator current, based on the present one. */
export async function promote(
  admin: Admin,
  release: string,
  operation: Omit<Promote, 'base'>,
): Promise<PromoteDone> {
  const { current } = await admin.get<StatusInfo>('status');
  const path = `releases/${encodeURIComponent(release)}/promote`;
  return admin.change('POST', path, { ...operation, base: current?.release ?? null });
}

/** Undoes the last step: the canary if there is one, else the current release. */
export async function rollback(admin: Admin, { release, reason }: Rollback): Promise<RollbackDone> {
  const { current, candidate } = await admin.get<StatusInfo>('status');
  // Named, so that a retry after a lost response does not undo two steps.
  const last = release ?? (candidate ?? current)?.release;
  return admin.change('POST', 'rollback', last === undefined ? { reason } : { release: last, reason });
}
