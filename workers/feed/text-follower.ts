/**
 * Turns changes of the text store into events: campaigns that were confirmed, revoked or have ended, and hosts
 * that the text release in force lists. Each step is bounded, and stores its events, rows and progress in one
 * transaction. If the text store fails, numbers and sender IDs do not wait for it.
 */
import { isSameEntry } from '../../shared/feed/digest.ts';
import type { CampaignEntry } from '../../shared/feed/entry.ts';
import type { ReferenceKey } from '../../shared/feed/reference.ts';
import { FEED_CALL_WAIT_MS, FEED_RETRY_MS, FEED_RETRY_MS_MAX } from '../../shared/limits/feed.ts';
import { warnFailed } from '../log.ts';
import { within } from '../storage/single-flight.ts';
import type { SharedCampaign, TextChanges, TextCursor, TextSource } from '../storage/text-port.ts';
import type { HostDiff } from './host-diff.ts';
import type { Tables } from './tables.ts';
import { type TextChange, textLimits } from './text-rows.ts';

export interface TextFollowerParts {
  readonly tables: Tables;
  readonly source: () => TextSource;
  readonly references: ReferenceKey;
  readonly hosts: HostDiff;
}

export class TextFollower {
  readonly #parts: TextFollowerParts;
  #failures = 0;
  #retryAt = 0;

  constructor(parts: TextFollowerParts) {
    this.#parts = parts;
  }

  /** When to try again after a failure, in ms since 1970; 0 after a success. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /**
   * Takes one page of campaigns, and then one of hosts. Never throws.
   * @param openEpoch called before events are appended @param onAppended called afterwards
   * @returns whether there is more to do now
   */
  async step(openEpoch: () => Promise<void>, onAppended: () => void): Promise<boolean> {
    if (Date.now() < this.#retryAt) return false;
    try {
      const more = await this.#step(openEpoch, onAppended);
      this.#failures = 0;
      this.#retryAt = 0;
      return more;
    } catch (error) {
      warnFailed('feedTextFailed', error);
      this.#retryAt = Date.now() + Math.min(FEED_RETRY_MS * 2 ** this.#failures, FEED_RETRY_MS_MAX);
      this.#failures = Math.min(this.#failures + 1, 20);
      return false;
    }
  }

  async #step(openEpoch: () => Promise<void>, onAppended: () => void): Promise<boolean> {
    const { tables, source, hosts } = this.#parts;
    const { meta, storage } = tables;
    const cursor = meta.json<TextCursor>('textCursor');
    const changes = await within(
      Promise.resolve(source().textChanges(cursor, textLimits.page)),
      FEED_CALL_WAIT_MS,
    );
    if (changes.generation !== meta.text('textGeneration')) {
      storage.transactionSync(() => this.#startAgain(changes));
      return true;
    }
    const found = await this.#campaigns(changes);
    const gone = changes.more ? [] : this.#notFound(found);
    const isPassed = !changes.more && gone.length < textLimits.page;
    await this.#publish([...found, ...gone], openEpoch, onAppended, () => {
      if (changes.campaigns.length > 0) meta.set('textCursor', changes.next ?? 'null');
      if (isPassed && meta.number('textIsPassing') === 1) meta.set('textIsPassing', 0);
    });
    if (!isPassed) return true;
    const page = await hosts.page(changes.hosts);
    if (page === null) return false;
    await this.#publish(page.changes, openEpoch, onAppended, page.store);
    return page.more;
  }

  /** Starts a new reading, because the text store has other tables. Campaigns that it does not find are removed. */
  #startAgain({ generation }: TextChanges): void {
    const { meta } = this.#parts.tables;
    meta.set('textGeneration', generation);
    meta.set('textCursor', 'null');
    meta.set('textPass', meta.number('textPass') + 1);
    meta.set('textIsPassing', 1);
  }

  /** The changes of campaigns on a page. The last change of each campaign counts. */
  async #campaigns({ campaigns }: TextChanges): Promise<TextChange[]> {
    const { texts } = this.#parts.tables;
    const changes = new Map<string, TextChange>();
    for (const campaign of campaigns) {
      const { id, textKeyId, fingerprint } = campaign;
      const name = `${textKeyId} ${fingerprint}`;
      const known = changes.get(name);
      const before = known === undefined ? texts.get('campaign', name) : known.before;
      const now = known === undefined ? before : known.after;
      const entry = entryOf(campaign);
      // Another campaign with this fingerprint is in force.
      if (entry === null && now !== null && now.owner !== id) continue;
      const reference =
        before?.reference ?? (await this.#parts.references.reference('campaign', name, 'campaign'));
      changes.set(name, {
        before,
        after: entry === null ? null : { kind: 'campaign', name, reference, entry, owner: id },
      });
    }
    return [...changes.values()];
  }

  /** At the end of a new reading, some of the campaigns that it has not found. */
  #notFound(found: readonly TextChange[]): TextChange[] {
    const { meta, texts } = this.#parts.tables;
    if (meta.number('textIsPassing') === 0) return [];
    const names = new Set(found.map(({ before, after }) => (after ?? before)?.name));
    // Campaigns of this page are not marked yet. Read that many more rows, so that others are not crowded out.
    return texts
      .before(meta.number('textPass'), textLimits.page + names.size)
      .filter(({ name }) => !names.has(name))
      .slice(0, textLimits.page)
      .map((before): TextChange => ({ before, after: null }));
  }

  /** Publishes removals first, for consumers that are cut off within a page. @param store runs in the transaction */
  async #publish(
    changes: readonly TextChange[],
    openEpoch: () => Promise<void>,
    onAppended: () => void,
    store: () => void,
  ): Promise<void> {
    const { storage, meta, texts, log } = this.#parts.tables;
    const isChanged = ({ before, after }: TextChange): boolean =>
      !isSameEntry(before?.entry ?? null, after?.entry ?? null);
    const changed = changes.filter(isChanged);
    const ordered = [
      ...changed.filter(({ after }) => after === null),
      ...changed.filter(({ after }) => after !== null),
    ];
    if (ordered.length > 0) await openEpoch();
    storage.transactionSync(() => {
      const pass = meta.number('textPass');
      const first = log.last.position + 1;
      if (ordered.length > 0)
        log.append(
          ordered.map(({ before, after }) => ({
            reference: (after ?? before)!.reference,
            entry: after?.entry ?? null,
            before: before?.entry ?? null,
          })),
          Date.now(),
        );
      let entries = meta.number('entries');
      for (const [index, { before, after }] of ordered.entries()) {
        entries += (after === null ? 0 : 1) - (before === null ? 0 : 1);
        if (after === null) texts.delete(before!.kind, before!.name);
        else texts.put(after, first + index, pass);
      }
      if (ordered.length > 0) meta.set('entries', entries);
      // Mark only campaigns as found, because hosts are compared with a table.
      for (const { before, after } of changes)
        if (after?.kind === 'campaign' && isSameEntry(before?.entry ?? null, after.entry))
          texts.seen(after.kind, after.name, after.owner, pass);
      store();
    });
    if (ordered.length > 0) onAppended();
  }
}

/** The entry of a campaign; null if it is not in force. Its end arrives as a change of its state. */
function entryOf(campaign: SharedCampaign): CampaignEntry | null {
  const { state, until, fingerprint, textKeyId, authority, rule, stage, firstSeen, lastSeen, reporters } =
    campaign;
  if (state !== 'confirmed' || until === null) return null;
  return {
    ...{ subject: 'campaign', fingerprint, textKeyId, authority },
    ...(rule === null || stage === null ? { rule: null, stage: null } : { rule, stage }),
    ...{ firstSeen: timeOf(firstSeen), lastSeen: timeOf(lastSeen), reporters, until: timeOf(until) },
  };
}

/** @param seconds since 1970 */
function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
