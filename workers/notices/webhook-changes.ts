/** Changes of webhooks by admins, each with a record in the audit chain. URLs may contain secrets; records name only hosts. */
import type { AddWebhook, Replay, Replayed, WebhookInfo } from '../../shared/admin/webhooks.ts';
import { toHex } from '../../shared/bytes.ts';
import { WEBHOOK_REPLAYS_MAX, WEBHOOKS_MAX } from '../../shared/limits/notices.ts';
import { ok } from '../../shared/result.ts';
import type { Author } from '../storage/audit-chain.ts';
import {
  refuse,
  refuseField,
  type StoreRefusal,
  type StoreRequest,
  type StoreResult,
} from '../storage/store-request.ts';
import type { Tables } from './tables.ts';
import { infoOf, type StoredWebhook } from './webhook-rows.ts';

const ID_BYTES = 6;

export class WebhookChanges {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  list(now: number): WebhookInfo[] {
    return this.#tables.webhooks.all.map((webhook) => infoOf(webhook, this.#tables.notices, now));
  }

  get(id: string, now: number): StoreResult<WebhookInfo> {
    const webhook = this.#tables.webhooks.get(id);
    return webhook === null ? unknown() : ok(infoOf(webhook, this.#tables.notices, now));
  }

  /** Adds a webhook, which gets the notices from now on. @param url that was checked */
  add(request: StoreRequest, { url, types }: Pick<AddWebhook, 'url' | 'types'>): StoreResult<WebhookInfo> {
    const { webhooks, notices } = this.#tables;
    return this.#tables.transact(request, 1, (author) => {
      const { all } = webhooks;
      if (all.some((other) => other.url === url))
        return refuse('WEBHOOK_KNOWN', 'the organisation has a webhook with this "url": remove it first');
      if (all.length >= WEBHOOKS_MAX) {
        const message = `an organisation has at most ${WEBHOOKS_MAX} webhooks: remove one first`;
        return refuse('WEBHOOKS_TOO_MANY', message);
      }
      const id = toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
      const added = webhooks.add(id, url, [...new Set(types)], notices.lastVersion, author.at);
      this.#record(author, 'add', null, added);
      return ok(infoOf(added, notices, author.at));
    });
  }

  remove(request: StoreRequest, id: string): StoreResult<{ readonly id: string }> {
    return this.#tables.transact(request, 0, (author) => {
      const before = this.#tables.webhooks.get(id);
      if (before === null) return unknown();
      this.#tables.webhooks.remove(id);
      this.#record(author, 'remove', before, null);
      return ok({ id });
    });
  }

  /** @param skip whether to begin with the next new notice, and skip those that wait */
  enable(request: StoreRequest, id: string, skip: boolean): StoreResult<WebhookInfo> {
    return this.#change(request, id, 1, 'enable', ({ state, position }, now) => {
      if (state === 'enabled' && !skip) return refuse('WEBHOOK_STATE', 'the webhook is already enabled');
      const { lastVersion } = this.#tables.notices;
      return ok({
        ...{ state: 'enabled', stateReason: null, failingSince: null, attempts: 0, nextAt: now },
        ...{ replayAttempts: 0, replayAt: now, position: skip ? lastVersion : position },
      });
    });
  }

  disable(request: StoreRequest, id: string): StoreResult<WebhookInfo> {
    return this.#change(request, id, 0, 'disable', ({ state }) =>
      state === 'disabled'
        ? refuse('WEBHOOK_STATE', 'the webhook is already disabled')
        : ok({ state: 'disabled', stateReason: 'ADMIN' }),
    );
  }

  /** Makes a new secret. The current secret also signs for another day. */
  rotate(request: StoreRequest, id: string): StoreResult<WebhookInfo> {
    return this.#change(request, id, 1, 'rotate', ({ secretN }, now) =>
      ok({ secretN: secretN + 1, rotatedAt: now }),
    );
  }

  /** Sends one notice again, or all notices that failed since a time. */
  replay(request: StoreRequest, id: string, { version, since }: Replay): StoreResult<Replayed> {
    const { webhooks, deliveries } = this.#tables;
    return this.#tables.transact(request, 1, (author) => {
      const webhook = webhooks.get(id);
      if (webhook === null) return unknown();
      if (webhook.state !== 'enabled')
        return refuse('WEBHOOK_STATE', `the webhook is ${webhook.state}: enable it first`);
      if (
        version !== undefined &&
        version > webhook.position &&
        deliveries.get(id, version)?.state !== 'delivered'
      )
        return refuseField(
          'version',
          'must be the version of a notice that was already sent; other notices are sent automatically',
        );
      const from = since === undefined ? 0 : Date.parse(since);
      const replayed =
        version === undefined
          ? deliveries.replaySince(id, from, WEBHOOK_REPLAYS_MAX, author.at)
          : Number(deliveries.replay(id, version, author.at));
      if (version !== undefined && replayed === 0)
        return refuse(
          'NOTICE_UNKNOWN',
          'no notice with this version was sent to the webhook, or it is no longer kept',
        );
      if (replayed > 0) webhooks.update(id, { replayAttempts: 0, replayAt: author.at });
      const after = version === undefined ? { since, replayed } : { version, replayed };
      this.#tables.audit.append(author, id, { action: 'replay', before: null, after });
      return ok({ replayed, more: replayed === WEBHOOK_REPLAYS_MAX });
    });
  }

  #change(
    request: StoreRequest,
    id: string,
    changes: 0 | 1,
    action: string,
    change: (webhook: StoredWebhook, now: number) => StoreResult<Parameters<Tables['webhooks']['update']>[1]>,
  ): StoreResult<WebhookInfo> {
    const { webhooks, notices } = this.#tables;
    return this.#tables.transact(request, changes, (author) => {
      const before = webhooks.get(id);
      if (before === null) return unknown();
      const changed = change(before, author.at);
      if (!changed.ok) return changed;
      webhooks.update(id, changed.value);
      const after = webhooks.get(id)!;
      this.#record(author, action, before, after);
      return ok(infoOf(after, notices, author.at));
    });
  }

  #record(author: Author, action: string, before: StoredWebhook | null, after: StoredWebhook | null): void {
    const id = (after ?? before)!.id;
    this.#tables.audit.append(author, id, { action, before: audited(before), after: audited(after) });
  }
}

function audited(webhook: StoredWebhook | null): object | null {
  if (webhook === null) return null;
  const { url, types, state, secretN, position } = webhook;
  return { host: new URL(url).host, types, state, secretNumber: secretN, position };
}

export function unknown(): StoreRefusal {
  return refuse('WEBHOOK_UNKNOWN', 'the organisation has no webhook with this id');
}
