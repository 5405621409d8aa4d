/** Keeps notices from their senders: each batch once, with its notices in order. */
import { utf8 } from '../../shared/bytes.ts';
import {
  NOTICE_BATCH_MAX,
  NOTICE_DATA_BYTES_MAX,
  NOTICE_KEY_CHARS_MAX,
  NOTICE_SUBJECT_CHARS_MAX,
} from '../../shared/limits/notices.ts';
import type { NewNotice } from '../../shared/notices/notice.ts';
import { warn } from '../log.ts';
import type { NoticesAdded } from '../storage/notices-port.ts';
import type { Tables } from './tables.ts';

export class Additions {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  add(sender: string, n: number, notices: readonly NewNotice[], now: number): NoticesAdded {
    if (notices.length > NOTICE_BATCH_MAX) throw new RangeError('too many notices in a batch');
    const { storage, room } = this.#tables;
    return storage.transactionSync(() => {
      const last = this.#lastOf(sender);
      if (n <= last) return { last, isFull: false };
      const kept = this.#accepted(sender, notices);
      if (!room.make(kept.length, now)) return { last, isFull: true };
      for (const { notice, data } of kept) {
        // A notice that occurs twice in one batch is kept once.
        if (this.#tables.notices.hasKey(notice.key)) continue;
        this.#tables.notices.add(notice, data, now);
        this.#tables.counts.add({ ...notice, isMock: notice.mock }, 'notices');
      }
      this.#tables.webhooks.wake(now);
      storage.sql.exec('INSERT OR REPLACE INTO senders VALUES (?, ?)', sender, n);
      return { last: n, isFull: false };
    });
  }

  #lastOf(sender: string): number {
    const [row] = this.#tables.storage.sql
      .exec<{ last: number }>('SELECT last FROM senders WHERE sender = ?', sender)
      .toArray();
    return row?.last ?? 0;
  }

  /** The new notices, each with its data as JSON. Leaves out a notice that exceeds a limit, which is a defect of its sender. */
  #accepted(sender: string, notices: readonly NewNotice[]): { notice: NewNotice; data: string }[] {
    return notices.flatMap((notice) => {
      if (this.#tables.notices.hasKey(notice.key)) return [];
      const data = JSON.stringify(notice.data);
      const isTooLarge =
        utf8(data).length > NOTICE_DATA_BYTES_MAX ||
        notice.key.length > NOTICE_KEY_CHARS_MAX ||
        notice.subject.length > NOTICE_SUBJECT_CHARS_MAX;
      if (!isTooLarge) return [{ notice, data }];
      warn('noticeTooLarge', { organisation: this.#tables.organisation, sender, type: notice.type });
      return [];
    });
  }
}
