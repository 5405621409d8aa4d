/**
 * Compares the hosts that the text release in force lists with those of the feed: first finds removed hosts,
 * then new ones, a page at a time. The progress of a comparison is stored; another release restarts it.
 */
import { sha256Hex } from '../../shared/bytes.ts';
import type { HostEntry } from '../../shared/feed/entry.ts';
import type { ReferenceKey } from '../../shared/feed/reference.ts';
import { FEED_CALL_WAIT_MS } from '../../shared/limits/feed.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { unseal } from '../../shared/set/seal.ts';
import { HostTable } from '../../shared/text/host-table.ts';
import { within } from '../storage/single-flight.ts';
import type { TextChanges, TextObject } from '../storage/text-port.ts';
import type { Tables } from './tables.ts';
import { type TextChange, textLimits } from './text-rows.ts';

/** The progress of a comparison. */
interface Stand {
  /** The release, and the digest of its value; empty for none. */
  readonly target: string;
  /** Name of the last row of the feed that was looked up in the table; null once all were looked up. */
  readonly removedUpTo: string | null;
  /** Rows of the table that were looked up in the feed; null once all were looked up. */
  readonly addedUpTo: number | null;
}

const DONE: Stand = { target: '', removedUpTo: null, addedUpTo: null };

/** Hosts of a release with their names in the feed, in the order of the table. */
interface OpenedHosts {
  readonly target: string;
  readonly entries: readonly (readonly [name: string, entry: HostEntry])[];
  readonly names: ReadonlySet<string>;
}

export interface HostPage {
  readonly changes: readonly TextChange[];
  /** Stores the progress of the comparison. Must run in the transaction of the changes. */
  readonly store: () => void;
  readonly more: boolean;
}

export class HostDiff {
  readonly #tables: Tables;
  readonly #text: () => Pick<TextObject, 'value'>;
  readonly #ring: KeyRing;
  readonly #references: ReferenceKey;
  /** The hosts of the comparison under way. */
  #opened: OpenedHosts | null = null;

  constructor(
    tables: Tables,
    text: () => Pick<TextObject, 'value'>,
    ring: KeyRing,
    references: ReferenceKey,
  ) {
    this.#tables = tables;
    this.#text = text;
    this.#ring = ring;
    this.#references = references;
  }

  /** The next page; null if there is nothing to compare. @throws if the table cannot be read */
  async page(hosts: TextChanges['hosts']): Promise<HostPage | null> {
    const target = hosts === null ? '' : `${hosts.release} ${hosts.value.sha256}`;
    const known = this.#tables.meta.json<Stand>('hosts') ?? DONE;
    const stand = known.target === target ? known : { target, removedUpTo: '', addedUpTo: 0 };
    if (stand.removedUpTo === null && stand.addedUpTo === null) {
      this.#opened = null;
      return null;
    }
    const opened = await this.#open(target, hosts);
    if (stand.removedUpTo !== null) return this.#removals(opened, stand, stand.removedUpTo);
    return this.#additions(opened, stand, stand.addedUpTo!);
  }

  #removals({ names, entries }: OpenedHosts, stand: Stand, after: string): HostPage {
    const rows = this.#tables.texts.after('host', after, textLimits.page);
    const changes = rows
      .filter(({ name }) => !names.has(name))
      .map((before): TextChange => ({ before, after: null }));
    const isLast = rows.length < textLimits.page;
    return this.#page(changes, { ...stand, removedUpTo: isLast ? null : rows.at(-1)!.name }, entries.length);
  }

  async #additions({ entries }: OpenedHosts, stand: Stand, from: number): Promise<HostPage> {
    const some = entries.slice(from, from + textLimits.page);
    const changes: TextChange[] = [];
    for (const [name, entry] of some) {
      const before = this.#tables.texts.get('host', name);
      const reference = before?.reference ?? (await this.#references.reference('host', name, 'host'));
      changes.push({ before, after: { kind: 'host', name, reference, entry, owner: 0 } });
    }
    const upTo = from + some.length;
    const isLast = upTo >= entries.length;
    return this.#page(changes, { ...stand, addedUpTo: isLast ? null : upTo }, entries.length - upTo);
  }

  #page(changes: readonly TextChange[], next: Stand, left: number): HostPage {
    const { meta } = this.#tables;
    const isDone = next.removedUpTo === null && next.addedUpTo === null;
    const store = (): void => {
      meta.set('hosts', next);
      meta.set('hostsLeft', isDone ? 0 : Math.max(1, left));
    };
    return { changes, store, more: !isDone };
  }

  async #open(target: string, hosts: TextChanges['hosts']): Promise<OpenedHosts> {
    if (this.#opened?.target === target) return this.#opened;
    const entries = hosts === null ? [] : await this.#entries(hosts);
    const names = new Set(entries.map(([name]) => name));
    this.#opened = { target, entries, names };
    return this.#opened;
  }

  /** Reads the hosts. Leaves out lists with the effect `shadow`, and lists that came from a feed, which are not shared on. */
  async #entries({ value, lists }: NonNullable<TextChanges['hosts']>): Promise<[string, HostEntry][]> {
    const bytes = await within(Promise.resolve(this.#text().value(value.key)), FEED_CALL_WAIT_MS);
    if (bytes === null || (await sha256Hex(bytes)) !== value.sha256)
      throw new Error('the hosts of the text release cannot be read');
    const opened = await this.#ring.open((keys) => unseal(bytes, keys));
    if (opened === null) throw new Error('LIST_KEY lacks the key of the text release');
    const table = new HostTable(opened.value, lists.length);
    const entries: [string, HostEntry][] = [];
    for (const { host, list } of table.rows()) {
      const { name, effect, authority, fromFeed = false } = lists[list]!;
      if (effect === 'shadow' || fromFeed) continue;
      entries.push([`${name} ${host}`, { subject: 'host', host, list: name, effect, authority }]);
    }
    return entries;
  }
}
