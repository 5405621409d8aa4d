/**
 * Notices to the holders of certificates that end soon: 30, 7 and 1 day before. For each of the three, the store remembers
 * the end up to which it has reminded. So a reminder costs one read of an index, and no certificate gets it twice.
 */
import { CERTIFICATE_REMINDERS_AT_ONCE } from '../../shared/limits/notice-sources.ts';
import type { CertificateExpiringData } from '../../shared/notices/data.ts';
import type { NewNotice } from '../../shared/notices/notice.ts';
import { formatSenderNumbers } from '../../shared/senders/sender-numbers.ts';
import type { NoticeOutbox } from '../storage/notice-outbox.ts';
import type { StoredCertificate } from './certificate-rows.ts';
import type { Meta } from './meta.ts';
import type { Tables } from './tables.ts';

const DAY_S = 86_400;
/** If the next reminder of a certificate is due too, it replaces the earlier one. */
const REMINDERS = [
  { days: 30, next: 7, key: 'reminded30' },
  { days: 7, next: 1, key: 'reminded7' },
  { days: 1, next: 0, key: 'reminded1' },
] as const;
/** Maximum numbers of one certificate that a notice names. */
const NUMBERS_SHOWN_MAX = 100;

/** The last certificate that a reminder has covered, in the order of ends. */
type Place = readonly [exp: number, digest: string];

type EndingRow = { exp: number; digest: string };

export class CertificateReminders {
  readonly #storage: DurableObjectStorage;
  readonly #meta: Meta;
  readonly #certificates: Tables['certificates'];
  readonly #outbox: NoticeOutbox;

  constructor(storage: DurableObjectStorage, { meta, certificates }: Tables, outbox: NoticeOutbox) {
    this.#storage = storage;
    this.#meta = meta;
    this.#certificates = certificates;
    this.#outbox = outbox;
  }

  /** Starts the reminders. A certificate that is already closer to its end does not get that one. @param now ms since 1970 */
  begin(now: number): void {
    for (const { days, key } of REMINDERS) {
      if (this.#meta.text(key) !== null) continue;
      this.#meta.set(key, [Math.floor(now / 1000) + days * DAY_S, '']);
    }
  }

  /** When the next reminder is due, in ms since 1970; null for never. */
  get dueAt(): number | null {
    const times = REMINDERS.flatMap(({ days, key }) => {
      const [next] = this.#endingAfter(this.#placeOf(key), Number.MAX_SAFE_INTEGER, 1);
      return next === undefined ? [] : [(next.exp - days * DAY_S) * 1000];
    });
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Writes the notices that are due, one step in each transaction. @param now ms since 1970 */
  run(now: number): void {
    for (const reminder of REMINDERS)
      while (this.#storage.transactionSync(() => this.#step(reminder, Math.floor(now / 1000))));
  }

  /** @returns whether there may be more */
  #step({ days, next, key }: (typeof REMINDERS)[number], nowS: number): boolean {
    const until = nowS + days * DAY_S;
    const ending = this.#endingAfter(this.#placeOf(key), until, CERTIFICATE_REMINDERS_AT_ONCE);
    const last = ending.at(-1);
    if (last === undefined) return false;
    const due = ending
      .filter(({ exp }) => exp > nowS + next * DAY_S)
      .map(({ digest }) => this.#certificates.get(digest)!)
      .filter(({ status }) => status !== 'revoked');
    this.#outbox.addAll(due.map((each) => [each.organisation, noticeOf(each, days, nowS * 1000)] as const));
    this.#meta.set(key, [last.exp, last.digest]);
    return ending.length === CERTIFICATE_REMINDERS_AT_ONCE;
  }

  /** Certificates after a place that end by `until`, in the order of ends. @param until in seconds since 1970 */
  #endingAfter([exp, digest]: Place, until: number, limit: number): EndingRow[] {
    return this.#storage.sql
      .exec<EndingRow>(
        'SELECT exp, digest FROM certificates WHERE (exp, digest) > (?, ?) AND exp <= ? ORDER BY exp, digest LIMIT ?',
        ...[exp, digest, until, limit],
      )
      .toArray();
  }

  #placeOf(key: (typeof REMINDERS)[number]['key']): Place {
    return this.#meta.json<Place>(key)!;
  }
}

function noticeOf(certificate: StoredCertificate, days: number, at: number): NewNotice {
  const { digest, issuer, spans, registrations, exp } = certificate;
  const data: CertificateExpiringData = {
    ...{ certificate: digest, issuer, numbers: spans.slice(0, NUMBERS_SHOWN_MAX).map(formatSenderNumbers) },
    ...{ registrations: registrations.slice(0, NUMBERS_SHOWN_MAX), days },
    expiresAt: new Date(exp * 1000).toISOString(),
  };
  return {
    ...{ key: `certificate.expiring ${digest}.${days}`, type: 'certificate.expiring', at, subject: digest },
    ...{ data: { ...data }, mock: false, respondBy: null },
  };
}
