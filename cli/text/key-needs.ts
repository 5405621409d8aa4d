/** Whether text releases still need the old key while LIST_KEY is rotated, and what to do. */
import type { TextStatus } from '../../shared/admin/text.ts';
import type { Admin } from '../admin.ts';
import { hasCode } from '../failure.ts';

/** Commands that seal the release in force with the first key of LIST_KEY. */
export const RESEAL_TEXTS =
  'npx numgate text build --keep-model --keep-hosts && npx numgate text push --promote';

/** @param writer ID of the new key @returns false also without text risk, or without access: only root may rotate */
export async function needsOldKey(admin: Admin, writer: string): Promise<boolean> {
  try {
    const { listKeyIds } = await admin.get<TextStatus>('text/status');
    return listKeyIds.some((keyId) => keyId !== writer);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND') || hasCode(error, 'PERMISSION_DENIED')) return false;
    throw error;
  }
}
