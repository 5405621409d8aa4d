/**
 * Reads the changes of the live layer. The rows of a page, the parties that become due, and the cursor are
 * stored in one transaction, so a kill loses nothing.
 *
 * If the coordinator was restored or re-keyed, everything is read again from the first row on. Places that are
 * not found again are removed.
 */

import type { ReferenceKey } from '../../shared/feed/reference.ts';
import { FEED_CALL_WAIT_MS, FEED_CHANGES_MAX } from '../../shared/limits/feed.ts';
import { fingerprintText } from '../../shared/live/entry.ts';
import { SUFFIX_COUNT, toE164 } from '../../shared/numbers/number.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { parseSource, textsOf } from '../../shared/sources/source.ts';
import type { Subject } from '../../shared/verdict.ts';
import type { LiveChanges, LiveCursor, LivePlace, LiveSource } from '../storage/feed-port.ts';
import { within } from '../storage/single-flight.ts';
import { CHECK_START, type CheckCursor, type NewParty } from './party-rows.ts';
import { keyOf } from './place-rows.ts';
import type { Tables } from './tables.ts';

export class LiveReader {
  readonly #tables: Tables;
  readonly #source: () => LiveSource;
  readonly #ring: KeyRing;
  readonly #references: ReferenceKey;

  constructor(tables: Tables, source: () => LiveSource, ring: KeyRing, references: ReferenceKey) {
    this.#tables = tables;
    this.#source = source;
    this.#ring = ring;
    this.#references = references;
  }

  /**
   * Reads one page. Without room, takes only the current release from the page, and the changes wait.
   * @returns whether there is more to read now @throws if the coordinator does not respond
   */
  async read(hasRoom: boolean): Promise<boolean> {
    const { meta, storage } = this.#tables;
    const cursor = meta.json<LiveCursor>('cursor');
    const answer = Promise.resolve(this.#source().liveChanges(cursor, FEED_CHANGES_MAX));
    const changes = await within(answer, FEED_CALL_WAIT_MS);
    if (changes.generation !== meta.text('generation')) {
      storage.transactionSync(() => this.#startAgain(changes));
      return true;
    }
    if (!hasRoom) {
      storage.transactionSync(() => this.#follow(changes));
      return false;
    }
    const places = this.#named(changes);
    const parties = (await Promise.all(places.map((place) => this.#partiesOf(place)))).flat();
    storage.transactionSync(() => this.#store(changes, places, parties));
    return changes.more || this.#giveUp();
  }

  #startAgain({ generation }: LiveChanges): void {
    const { meta } = this.#tables;
    meta.set('generation', generation);
    meta.set('cursor', 'null');
    meta.set('pass', meta.number('pass') + 1);
    meta.set('isPassing', 1);
    meta.set('unnamed', 0);
    this.#checkAll();
  }

  /** Checks all parties. During a check, adds another round: restarting it might never end if releases come often. */
  #checkAll(): void {
    const { meta } = this.#tables;
    if (meta.json<CheckCursor>('checkAfter') === null) meta.set('checkAfter', CHECK_START);
    else meta.set('checkAgain', 1);
  }

  /** Stores the current release. If it is another one, checks all parties. */
  #follow({ release, droppedSeq }: LiveChanges): void {
    const { meta } = this.#tables;
    if (release !== (meta.text('release') || null)) {
      // All lists may have changed.
      meta.set('release', release ?? '');
      this.#checkAll();
    }
    if (droppedSeq !== meta.number('droppedSeq')) meta.set('droppedSeq', droppedSeq);
  }

  #store(changes: LiveChanges, places: readonly NamedPlace[], parties: readonly NewParty[]): void {
    const { meta, places: rows, parties: followed } = this.#tables;
    this.#follow(changes);
    if (changes.places.length === 0) return;
    const pass = meta.number('pass');
    for (const { name, place } of places) {
      rows.put(name, place.rows, pass);
      followed.touch(name);
    }
    for (const party of parties) followed.follow(party);
    const unnamed = changes.places.length - places.length;
    if (unnamed > 0) meta.set('unnamed', meta.number('unnamed') + unnamed);
    meta.set('cursor', changes.next ?? 'null');
  }

  /** At the end of a new reading, removes some places that it has not found. @returns whether there may be more */
  #giveUp(): boolean {
    const { meta, storage, places, parties } = this.#tables;
    if (meta.number('isPassing') === 0) return false;
    return storage.transactionSync(() => {
      const gone = places.before(meta.number('pass'));
      for (const place of gone) {
        places.delete(place);
        parties.touch(place);
      }
      if (gone.length === 0) meta.set('isPassing', 0);
      return gone.length > 0;
    });
  }

  /** The places whose names are known here. */
  #named({ places, keyId }: LiveChanges): NamedPlace[] {
    const nameless = places.some(({ kind, form }) => kind === 'source' && form === null);
    const known = nameless ? this.#knownForms(keyId) : null;
    return places.flatMap((place) => {
      const { kind, high, low, form } = place;
      const name =
        kind === 'number' ? toE164(high * SUFFIX_COUNT + low) : (form ?? known?.get(fingerprintText(place)!));
      return name === undefined ? [] : [{ name, place }];
    });
  }

  /** The texts of sources that this store knows, by fingerprint. A source lacks its text only after a restore. */
  #knownForms(keyId: string): ReadonlyMap<string, string> {
    const keys = this.#ring.of(keyId);
    // A deployment with that key will follow. Until then, remove nothing.
    if (keys === null) throw new Error('LIST_KEY lacks the key of the live layer');
    return new Map(this.#tables.places.texts.map((form) => [fingerprintText(keyOf(form, keys))!, form]));
  }

  /** The parties to follow because of a place: one for each subject of its rows. A source is never a recipient. */
  async #partiesOf({ name, place: { kind, source, rows, dropped } }: NamedPlace): Promise<NewParty[]> {
    const subjects = new Set<Subject>([...rows.flatMap((row) => row.subjects), ...dropped]);
    if (kind === 'number') {
      const named = { party: name, skeleton: null, source: null };
      return Promise.all([...subjects].map((subject) => this.#party('number', { ...named, subject })));
    }
    const parsed = source === null ? null : parseSource(source);
    // A trunk name has a different meaning in every network.
    if (!parsed?.ok || parsed.value.kind === 'trunk' || !subjects.has('from')) return [];
    const { skeleton } = textsOf(parsed.value);
    const named = { party: name, skeleton: skeleton === name ? null : skeleton, source };
    return [await this.#party('source', { ...named, subject: 'from' })];
  }

  async #party(kind: 'number' | 'source', party: Omit<NewParty, 'reference'>): Promise<NewParty> {
    return { ...party, reference: await this.#references.reference(kind, party.party, party.subject) };
  }
}

/** A place, with its name in this store. */
interface NamedPlace {
  readonly name: string;
  readonly place: LivePlace;
}
