/**
 * Turns changes of the live layer, of releases and of the text store into events. A run reads pages of changes, decides what is
 * due, and appends the differences. There is one run at a time, and nothing else writes these tables, so data that a run has
 * read is still current when the run writes. Each step is bounded. If a run is killed, the next one continues from there.
 */
import { isSameEntry } from '../../shared/feed/digest.ts';
import { FEED_STEPS_MAX } from '../../shared/limits/feed.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { NoteSigner } from '../../shared/signed-note.ts';
import { warn } from '../log.ts';
import { type Decided, decide, type Followed, layerOf } from './deciding.ts';
import type { LiveReader } from './live-reader.ts';
import { CHECK_START, type CheckCursor, type Party } from './party-rows.ts';
import type { ReleasedLists } from './released-lists.ts';
import type { Tables } from './tables.ts';
import type { TextFollower } from './text-follower.ts';

export interface FollowerParts {
  readonly tables: Tables;
  readonly reader: LiveReader;
  readonly lists: ReleasedLists;
  readonly texts: TextFollower;
  readonly ring: KeyRing;
  readonly signer: NoteSigner | null;
  /** Called after events were appended. */
  readonly onAppended: () => void;
  /** Called after each completed step. */
  readonly onProgress: () => void;
}

export class Follower {
  readonly #parts: FollowerParts;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  /**
   * Works until nothing is left to do now, for at most FEED_STEPS_MAX steps, or until FEED_READS_MAX values were read.
   * @returns whether there is more to do @throws if the coordinator or KV does not respond
   */
  async run(): Promise<boolean> {
    const { tables, reader, lists, texts, onAppended, onProgress } = this.#parts;
    const steps = { left: FEED_STEPS_MAX };
    if (tables.epochs.current === null) await this.openEpoch();
    // Decide even while the coordinator does not respond. Fails if the release is gone: the reader then learns the next one.
    let isBusy = await this.#decideDue(steps).catch(() => true);
    tables.pollers.forget(Date.now());
    let hasTexts = true;
    while (lists.mayRead && steps.left-- > 0) {
      const { isFull } = tables;
      if (isFull) warn('feedFull', { entries: tables.meta.number('entries') });
      isBusy = await reader.read(!isFull);
      isBusy = (await this.#decideDue(steps)) || isBusy;
      isBusy = this.#check() || isBusy;
      hasTexts &&= !isFull && (await texts.step(() => this.openEpoch(), onAppended));
      isBusy = hasTexts || isBusy;
      isBusy = this.#tidy() || isBusy;
      onProgress();
      if (!isBusy) return false;
    }
    return isBusy;
  }

  /** Opens the first epoch, or the next one if it is due. */
  async openEpoch(): Promise<void> {
    const { tables, signer } = this.#parts;
    const { epochs, log, storage } = tables;
    const last = epochs.current === null ? null : log.last;
    if (last !== null && !epochs.isDue(last, Date.now())) return;
    const next = await epochs.next(tables.feed, last, signer, Date.now());
    // A read may have opened the first epoch meanwhile.
    if ((epochs.current?.epoch ?? 0) < next.epoch) storage.transactionSync(() => epochs.add(next));
  }

  /** Decides parties that are due. @returns whether more are due */
  async #decideDue(steps: { left: number }): Promise<boolean> {
    const { tables, lists, ring } = this.#parts;
    const { meta, parties } = tables;
    for (;;) {
      const now = Math.floor(Date.now() / 1000);
      const due = parties.due(now);
      if (due.length === 0 || !lists.mayRead || steps.left-- <= 0) return due.length > 0;
      const followed = due.map((party) => this.#withRows(party, now));
      const layer = layerOf(followed, ring.writer);
      const decided: Decided[] = [];
      await lists.with(
        meta.text('release') || null,
        followed,
        ({ party }) => party.party,
        (release, some) => {
          for (const each of some) decided.push(decide(each, release, layer, ring.writer, now));
        },
      );
      await this.#publish(decided);
    }
  }

  #withRows(party: Party, now: number): Followed {
    const { meta, places } = this.#parts.tables;
    const names = [party.party, ...(party.skeleton === null ? [] : [party.skeleton])];
    const droppedSeq = meta.number('droppedSeq');
    return { party, rows: new Map(names.map((name) => [name, places.get(name, droppedSeq, now)])) };
  }

  /** Publishes removals and lifts first, so that a consumer that is cut off within a page has them. */
  async #publish(decided: readonly Decided[]): Promise<void> {
    const { tables, onAppended } = this.#parts;
    const { storage, meta, parties, log } = tables;
    const isChanged = ({ party, entry }: Decided): boolean => !isSameEntry(party.entry, entry);
    const lifts = ({ entry }: Decided): boolean => entry === null || entry.effect === 'allow';
    const changed = decided.filter(isChanged);
    const ordered = [...changed.filter(lifts), ...changed.filter((each) => !lifts(each))];
    if (changed.length > 0) await this.openEpoch();
    storage.transactionSync(() => {
      const events = ordered.map(({ party: { reference, entry: before }, entry }) => ({
        reference,
        entry,
        before,
      }));
      const first = log.last.position + 1;
      if (events.length > 0) log.append(events, Date.now());
      const positions = new Map(ordered.map((each, index) => [each, first + index]));
      let entries = meta.number('entries');
      for (const each of decided) {
        const { party, entry, hasRows, due } = each;
        const position = positions.get(each);
        entries += (entry === null ? 0 : 1) - (party.entry === null ? 0 : 1);
        if (entry === null && !hasRows) parties.forget(party.id);
        else if (position === undefined) parties.setDue(party.id, due);
        else parties.setEntry(party.id, entry, position, due);
      }
      if (events.length > 0) meta.set('entries', entries);
    });
    if (changed.length > 0) onAppended();
  }

  /** Runs a part of the check that another release requires. @returns whether a check was under way */
  #check(): boolean {
    const { meta, parties, storage } = this.#parts.tables;
    const cursor = meta.json<CheckCursor>('checkAfter');
    if (cursor === null) return false;
    storage.transactionSync(() => {
      const next = parties.check(cursor);
      const begins = next === null && meta.number('checkAgain') === 1;
      if (begins) meta.set('checkAgain', 0);
      meta.set('checkAfter', begins ? CHECK_START : (next ?? 'null'));
    });
    return true;
  }

  /** Deletes places and events that are no longer needed. @returns whether there may be more */
  #tidy(): boolean {
    const { meta, places, log, storage } = this.#parts.tables;
    return storage.transactionSync(() => {
      const pruned = places.prune(meta.number('droppedSeq'), Math.floor(Date.now() / 1000));
      return log.trim() || pruned;
    });
  }
}
