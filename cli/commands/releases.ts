/**
 * `lists releases`, `promote`, `rollback`: which releases the authority has, and which is current.
 */
import type {
  Promote,
  PromoteDone,
  ReleaseInfo,
  Rollback,
  RollbackDone,
  StatusInfo,
} from '../../shared/admin.ts';
import type { Admin } from '../admin.ts';

/** The newest first. */
export async function listReleases(admin: Admin): Promise<ReleaseInfo[]> {
  return (await admin.get<{ releases: ReleaseInfo[] }>('releases')).releases;
}

/** Make a release that the authority has the current one, upon what is current now. */
export async function promote(
  admin: Admin,
  release: string,
  wish: Omit<Promote, 'base'>,
): Promise<PromoteDone> {
  const { current } = await admin.get<StatusInfo>('status');
  const path = `releases/${encodeURIComponent(release)}/promote`;
  return admin.change('POST', path, { ...wish, base: current?.release ?? null });
}

/** Undo the last step: the candidate if there is one, else the current release. */
export async function rollback(admin: Admin, { release, reason }: Rollback): Promise<RollbackDone> {
  const { current, candidate } = await admin.get<StatusInfo>('status');
  // Named, so that an answer that was lost on the way does not make it two steps.
  const last = release ?? (candidate ?? current)?.release;
  return admin.change('POST', 'rollback', last === undefined ? { reason } : { release: last, reason });
}
