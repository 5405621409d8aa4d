/**
 * Follows a feed: reads the events after the last known one, and verifies that each event follows the one before it, and
 * that the chain leads to the checkpoint that the service has signed. Only a fully verified state is saved. A failure leaves
 * the saved state as it was.
 *
 * A pull first reads the signed checkpoint, and then the events up to it. Until it has reached the checkpoint, it saves
 * its progress in a separate file, so that an interrupted pull can continue.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatCursor } from '../../shared/feed/cursor.ts';
import type { FeedKey } from '../../shared/feed/open-jwe.ts';
import { type ChainPoint, openPage } from '../../shared/feed/open-page.ts';
import type { FeedCheckpoint } from '../../shared/feed/statement.ts';
import { beginEpoch, openCheckpoint } from '../../shared/feed/verify-notes.ts';
import { isRecord } from '../../shared/fields.ts';
import type { NoteVerifier } from '../../shared/signed-note.ts';
import { CommandFailure, hasCode } from '../failure.ts';
import { count } from '../terminal/figures.ts';
import { FeedEntries } from './entries.ts';
import { accepted, FeedRefusal, keyFor, openSigned, refusal } from './keys.ts';
import { checkFresh, checkNotBehind, isAt, placeOf } from './place-checks.ts';
import { readSnapshot } from './snapshot.ts';
import type { FeedSource } from './source.ts';
import { type PulledState, readState, writeState } from './state-file.ts';

const STATE = 'state.ndjson';
const PROGRESS = 'progress.ndjson';
/** Maximum share of the time of a pull that it spends on saving its progress. */
const SAVING_SHARE = 0.05;
/** Shortest time between two saves of the progress, in ms. */
const SAVE_EVERY_MS = 2_000;

export interface PullSettings {
  readonly source: FeedSource;
  /** Null for a consumer without encryption. */
  readonly keys: readonly FeedKey[] | null;
  readonly verifiers: readonly NoteVerifier[];
  /** Folder of the state. */
  readonly folder: string;
  /** @param share of the events that are read, 0 to 1 */
  readonly onProgress?: (share: number, note: string) => void;
}

/** What one pull has changed. */
export interface Pulled {
  readonly state: PulledState;
  readonly events: number;
  readonly isSnapshot: boolean;
  /** Bytes of the responses, after decompression. */
  readonly bytes: number;
}

export function statePath(folder: string): string {
  return join(folder, STATE);
}

export class Puller {
  readonly #settings: PullSettings;
  #state: PulledState | null = null;
  #isOpen = false;
  #saveAt = 0;

  constructor(settings: PullSettings) {
    this.#settings = settings;
  }

  /** Pulls everything up to the newest checkpoint. @throws CommandFailure; the saved state stays as it was */
  async pull(): Promise<Pulled> {
    await this.#open();
    const saveOnExit = (): void => this.#writeProgress();
    process.once('exit', saveOnExit);
    try {
      return await this.#pull();
    } catch (error) {
      this.#isOpen = false;
      // An interrupted pull continues from its progress. A refused pull must not continue.
      if (error instanceof FeedRefusal) rmSync(this.#path(PROGRESS), { force: true });
      else if (error instanceof CommandFailure) this.#writeProgress();
      throw error;
    } finally {
      process.off('exit', saveOnExit);
    }
  }

  /** Waits for the next event, or for the time to pass. @returns whether there is something to pull */
  async wait(ms: number): Promise<boolean> {
    if (this.#state === null) return true;
    const { place } = this.#state;
    try {
      const page = await this.#settings.source.page(formatCursor(place), ms);
      return Array.isArray(page) && page.length > 0;
    } catch (error) {
      // The next pull takes a snapshot.
      if (hasCode(error, 'CURSOR_GONE')) return true;
      throw error;
    }
  }

  #path(name: string): string {
    return join(this.#settings.folder, name);
  }

  /** Continues the progress of an interrupted pull, or else begins with the saved state. */
  async #open(): Promise<void> {
    if (this.#isOpen) return;
    const [state, progress] = [this.#path(STATE), this.#path(PROGRESS)];
    this.#state = existsSync(state) ? await readState(state) : null;
    if (existsSync(progress)) {
      const further = await readState(progress).catch(() => null);
      const isFurther =
        further !== null &&
        (this.#state === null ||
          (further.place.feed === this.#state.place.feed &&
            further.place.position > this.#state.place.position));
      if (isFurther) this.#state = further;
    }
    this.#isOpen = true;
  }

  async #pull(): Promise<Pulled> {
    const first = this.#state?.place.position ?? 0;
    const bytesBefore = this.#settings.source.bytes;
    let signed = await this.#signed();
    let isSnapshot = false;
    let events = 0;
    if (this.#state === null) {
      await this.#takeSnapshot(null);
      isSnapshot = true;
      signed = await this.#signed();
    }
    for (let place = this.#state!.place; !isAt(place, signed); place = this.#state!.place) {
      const step = await this.#step(signed);
      if (step === 'gone') {
        await this.#takeSnapshot(place);
        isSnapshot = true;
        signed = await this.#signed();
        continue;
      }
      events += step;
      const share = (this.#state!.place.position - first) / Math.max(1, signed.position - first);
      this.#settings.onProgress?.(share, `${count(this.#state!.entries.size)} entries`);
      this.#saveProgress();
    }
    const { place, entries } = this.#state!;
    if (place.digest !== signed.digest) {
      throw refusal(
        'FEED_CHAIN_BROKEN',
        `the events up to position ${place.position} do not match what the service has signed`,
      );
    }
    if (place.checkpoint === null) {
      const { source, folder } = this.#settings;
      this.#state = { place: { ...place, url: source.url, checkpoint: signed.note }, entries };
      writeState(statePath(folder), this.#state);
    }
    rmSync(this.#path(PROGRESS), { force: true });
    return { state: this.#state!, events, isSnapshot, bytes: this.#settings.source.bytes - bytesBefore };
  }

  /** The newest checkpoint. The state must not be ahead of it. */
  async #signed(): Promise<FeedCheckpoint & { readonly note: string }> {
    const note = await this.#settings.source.checkpoint();
    const open = (verifier: NoteVerifier) => openCheckpoint(note, verifier);
    const checkpoint = await openSigned(this.#settings.verifiers, open);
    checkFresh(checkpoint, Date.now());
    if (this.#state !== null) checkNotBehind(this.#state.place, checkpoint);
    return { ...checkpoint, note };
  }

  /** Reads one page, or opens the next epoch. @returns the number of events that were read */
  async #step({ epoch, position }: FeedCheckpoint): Promise<number | 'gone'> {
    const { source, keys } = this.#settings;
    const { place, entries } = this.#state!;
    // The next epoch has no events yet.
    if (place.position === position && place.epoch < epoch) {
      await this.#beginEpoch();
      return 0;
    }
    let page: unknown;
    try {
      page = await source.page(formatCursor(place));
    } catch (error) {
      if (hasCode(error, 'CURSOR_GONE')) return 'gone';
      throw error;
    }
    // Events after the checkpoint belong to the next pull, which has a checkpoint for them.
    const wanted = Array.isArray(page) ? page.slice(0, position - place.position) : page;
    const data: unknown = Array.isArray(wanted) && isRecord(wanted[0]) ? wanted[0].data : undefined;
    if (Array.isArray(wanted) && wanted.length === 0) {
      throw refusal(
        'FEED_CHAIN_BROKEN',
        `the service has signed position ${position}, but returns no event after ${place.position}`,
      );
    }
    const opened = await openPage(wanted, keyFor(keys, data), place);
    if (!opened.ok && opened.code === 'FEED_EPOCH_NEXT') {
      await this.#beginEpoch();
      return 0;
    }
    const { events, end } = accepted(opened);
    for (const { reference, entry } of events) {
      if (entry === null) entries.delete(reference);
      else entries.set(reference, entry);
    }
    this.#move(end);
    return events.length;
  }

  async #beginEpoch(): Promise<void> {
    const { place } = this.#state!;
    const statement = await this.#settings.source.epoch(place.epoch + 1);
    this.#move(
      await openSigned(this.#settings.verifiers, (verifier) => beginEpoch(statement, verifier, place)),
    );
  }

  #move(to: ChainPoint): void {
    const { entries, place } = this.#state!;
    this.#state = { place: { ...place, ...to, checkpoint: null, at: now() }, entries };
  }

  /** @param before place of the state, which the snapshot must not be behind; null without a state */
  async #takeSnapshot(before: ChainPoint | null): Promise<void> {
    const { source, keys, onProgress } = this.#settings;
    const entries = new FeedEntries();
    const place = await source.snapshot(async (lines) => {
      entries.clear();
      const progress = (): void => onProgress?.(0, `snapshot: ${count(entries.size)} entries`);
      const { cursor, digest } = await readSnapshot(
        lines,
        keys,
        entries,
        (head) => void placeOf(head.cursor, before),
        progress,
      );
      return { ...placeOf(cursor, before), digest };
    });
    if (this.#state !== null) entries.texts.follow(this.#state.entries.texts);
    this.#state = { place: { ...place, url: source.url, checkpoint: null, at: now() }, entries };
  }

  #saveProgress(): void {
    const begin = performance.now();
    if (begin < this.#saveAt) return;
    if (this.#saveAt > 0) this.#writeProgress();
    const end = performance.now();
    this.#saveAt = end + Math.max(SAVE_EVERY_MS, (end - begin) / SAVING_SHARE);
  }

  /** Saves the state as progress, unless a checkpoint has confirmed it. */
  #writeProgress(): void {
    if (this.#state !== null && this.#state.place.checkpoint === null)
      writeState(this.#path(PROGRESS), this.#state);
  }
}

function now(): string {
  return new Date().toISOString();
}
