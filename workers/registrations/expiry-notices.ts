/** Notices to the organisation that an approved version ends soon. They accompany the reminder events. */
import type { RegistrationExpiringData } from '../../shared/notices/data.ts';
import type { NoticeOutbox } from '../storage/notice-outbox.ts';
import type { StoredRegistration } from './registration-rows.ts';

/**
 * Must run in the transaction of the reminder.
 * @param registration must be in force and have an end @param days days until the end
 */
export function addExpiryNotice(
  outbox: NoticeOutbox,
  organisation: string,
  { id, approved, isMock }: StoredRegistration,
  days: number,
  now: number,
): void {
  const { version, content, endsAt } = approved!;
  const data: RegistrationExpiringData = {
    ...{ registration: String(id), number: content.number, days },
    endsAt: new Date(endsAt!).toISOString(),
  };
  outbox.add(organisation, [
    {
      ...{ key: `registration.expiring ${id}.${version}.${days}`, type: 'registration.expiring', at: now },
      ...{ subject: `${organisation}/${id}`, data: { ...data }, mock: isMock, respondBy: null },
    },
  ]);
}
