/** The Durable Object that keeps the notices to one organisation, and delivers them to its webhooks. */
import { DurableObject } from 'cloudflare:workers';
import type { NewNotice, NoticeCount, NoticeRecord } from '../../shared/notices/notice.ts';
import type { ControlEnv } from '../env.ts';
import type { NoticeObject, NoticeQuery, NoticesAdded, NoticesStatus } from '../storage/notices-port.ts';

export class NoticeStore extends DurableObject<ControlEnv> implements NoticeObject {
  async add(
    _organisation: string,
    _sender: string,
    n: number,
    _notices: readonly NewNotice[],
  ): Promise<NoticesAdded> {
    return { last: n, isFull: false };
  }

  async totals(_fromMonth: string, _toMonth: string): Promise<readonly NoticeCount[]> {
    return [];
  }

  async evidence(_query: NoticeQuery): Promise<readonly NoticeRecord[]> {
    return [];
  }

  async status(): Promise<NoticesStatus> {
    const webhooks = { enabled: 0, disabled: 0, gone: 0 };
    return { notices: 0, pending: 0, oldestPendingAt: null, failed: 0, webhooks, overdue: 0, bytes: 0 };
  }
}
