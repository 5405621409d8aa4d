/** The answers of operators to guidance. An answer can be corrected for a day. */
import { ACKNOWLEDGEMENT_AHEAD_MS, ACKNOWLEDGEMENT_CORRECTED_MS } from '../../shared/limits/notices.ts';
import type { GivenAcknowledgement } from '../../shared/notices/acknowledgement.ts';
import type { Notice } from '../../shared/notices/notice.ts';
import { ok } from '../../shared/result.ts';
import { refuse, refuseField, type StoreRefusal, type StoreResult } from '../storage/store-request.ts';
import { noticeOf, type StoredNotice } from './notice-rows.ts';
import type { Tables } from './tables.ts';

/** The client that answers. */
export interface Answering {
  /** ID of the client. */
  readonly client: string;
  readonly isMock: boolean;
}

/** Stores an answer. Repeating the same answer changes nothing. */
export function acknowledge(
  { storage, notices, counts }: Tables,
  version: number,
  given: GivenAcknowledgement,
  by: Answering,
  now: number,
): StoreResult<Notice> {
  return storage.transactionSync(() => {
    const notice = notices.get(version);
    if (notice === null) return unknownNotice();
    const at = Date.parse(given.at);
    const refused = check(notice, at, by, now);
    if (refused !== null) return refused;
    const { informed, note } = given;
    const { acknowledgement: before, acknowledgedAt } = notice;
    const isSame =
      before !== null && before.informed === informed && before.note === note && Date.parse(before.at) === at;
    if (isSame) return ok(noticeOf(notice));
    if (acknowledgedAt !== null && now - acknowledgedAt > ACKNOWLEDGEMENT_CORRECTED_MS)
      return refuse(
        'NOTICE_ANSWERED',
        'the notice was answered more than a day ago: it can no longer be corrected',
      );
    notices.acknowledge(version, { informed, at, note }, by.client, now);
    if (before === null) counts.add(notice, 'acknowledged');
    counts.add(notice, 'informed', informed - (before?.informed ?? 0));
    return ok(noticeOf(notices.get(version)!));
  });
}

function check(
  { respondBy, isMock, at: noticedAt }: StoredNotice,
  at: number,
  by: Answering,
  now: number,
): StoreRefusal | null {
  if (respondBy === null)
    return refuse('NOTICE_UNANSWERABLE', 'this notice needs no answer: only those with "respondBy" do');
  if (by.isMock && !isMock) return refuse('NOTICE_UNANSWERABLE', 'a mock client answers mock notices only');
  if (at > now + ACKNOWLEDGEMENT_AHEAD_MS) return refuseField('at', 'must not be in the future');
  return at < noticedAt ? refuseField('at', 'must not be before the notice') : null;
}

export function unknownNotice(): StoreRefusal {
  return refuse(
    'NOTICE_UNKNOWN',
    'the organisation has no notice with this version, or it is no longer kept',
  );
}
