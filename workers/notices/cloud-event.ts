/** Formats a notice as a webhook gets it: a CloudEvent (1.0.2) in structured mode. */
import { wireTypeOf } from '../../shared/notices/notice.ts';
import { type StoredNotice, timeOf } from './notice-rows.ts';

export const CLOUD_EVENT_TYPE = 'application/cloudevents+json; charset=utf-8';

/** `source` of an installation that does not know its address. */
const NO_ADDRESS = 'urn:numgate';

/**
 * The ID of a notice for its receiver, also sent as `webhook-id`. It is the same for each attempt. It has no
 * dot, because a dot separates it from the rest of the signed content.
 */
export function noticeId(organisation: string, version: number): string {
  return `${organisation}-${version}`;
}

/** @param source PUBLIC_URL; null if there is none */
export function cloudEvent(notice: StoredNotice, organisation: string, source: string | null): string {
  const { version, type, at, subject, data, isMock, respondBy } = notice;
  const head = {
    ...{ specversion: '1.0', id: noticeId(organisation, version), source: source ?? NO_ADDRESS },
    ...{ type: wireTypeOf(type), subject, time: timeOf(at), datacontenttype: 'application/json', version },
    ...(respondBy === null ? {} : { respondby: timeOf(respondBy) }),
    ...(isMock ? { mock: true } : {}),
  };
  // The data is JSON already.
  return `${JSON.stringify(head).slice(0, -1)},"data":${data}}`;
}
