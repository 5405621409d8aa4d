/**
 * The publication of the text store: the index with the signed manifests in force, and the table of confirmed campaigns.
 * The values of a release stay sealed as they were pushed.
 */
import { sha256Hex, utf8 } from '../../shared/bytes.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { type Campaign, encodeCampaigns } from '../../shared/text/campaign-table.ts';
import type { TextIndex } from '../../shared/text/text-index.ts';
import type { PutValue } from '../storage/head-publication.ts';
import type { SealedValues } from '../storage/sealed-values.ts';
import type { TextUpdate } from '../storage/text-port.ts';
import type { Meta } from './meta.ts';
import type { ReleaseRows } from './release-rows.ts';

export interface PublicationTables {
  readonly storage: DurableObjectStorage;
  readonly meta: Meta;
  readonly releases: ReleaseRows;
  readonly values: SealedValues;
  readonly campaigns: {
    /** Campaigns that the edge must know. @param now in ms since 1970 */
    published(now: number): Campaign[];
  };
}

export class Publication {
  readonly #tables: PublicationTables;

  constructor(tables: PublicationTables) {
    this.#tables = tables;
  }

  /** Number of the last change; 0 before the first. */
  get version(): number {
    return this.#tables.meta.number('version');
  }

  /** The last version that the head has. */
  get publishedVersion(): number {
    return this.#tables.meta.number('publishedVersion');
  }

  /** Whether the head may lack changes. */
  get isBehind(): boolean {
    return this.publishedVersion < this.version;
  }

  /** Records a change of published data. Must run in the transaction of the change. */
  changed(): void {
    this.#tables.meta.set('version', this.version + 1);
  }

  /** Generation of these tables. Versions of different generations are not comparable. */
  get generation(): string {
    const { meta } = this.#tables;
    if (meta.text('generation') === null) meta.set('generation', crypto.randomUUID());
    return meta.text('generation')!;
  }

  /** Begins a new generation. @param version above the version of the head */
  restart(version: number): void {
    this.#tables.meta.set('generation', crypto.randomUUID());
    this.#tables.meta.set('version', version);
  }

  /** Records that the head has this version. */
  setPublished(version: number): void {
    const { meta } = this.#tables;
    meta.set('publishedVersion', Math.max(version, meta.number('publishedVersion')));
  }

  /** Makes the values that are due, and the index. Calls must not overlap. */
  async make(keys: ListKeys, put: PutValue): Promise<TextUpdate> {
    const { releases, values, campaigns, storage } = this.#tables;
    // A change that is made meanwhile has a later version, whether or not the values contain the change.
    const { version } = this;
    const { current, candidate } = releases;
    const confirmed = campaigns.published(Date.now());
    const ofReleases = releases.valuesOf([current, candidate]);
    for (const key of releases.unwritten(ofReleases)) {
      const bytes = releases.bytes(key);
      // A release that was withdrawn during an earlier write may be gone. The next index leaves it out.
      if (bytes !== null && (await put(key, bytes))) releases.setWritten([key]);
    }
    const table =
      confirmed.length === 0 ? null : await this.#campaigns(encodeCampaigns(confirmed), keys, put);
    const index: TextIndex = {
      ...{ kind: 'numgate-text-index', format: 1, version },
      current: current?.signed ?? null,
      candidate: candidate === null ? null : { manifest: candidate.signed, share: candidate.share ?? 0 },
      campaigns: table,
    };
    const named = await values.make('index', utf8(JSON.stringify(index)), keys, put);
    return storage.transactionSync(() => {
      values.setNamed(table === null ? [named] : [named, table]);
      return {
        head: { version, index: named },
        named: [...values.named, ...ofReleases.map(({ key, sha256 }) => ({ key, sha256 }))],
        unwritten: [...values.unwritten, ...releases.unwritten(ofReleases)],
        keyIds: keyIdsOf(values.keyIds, ofReleases),
      };
    });
  }

  async #campaigns(bytes: Uint8Array<ArrayBuffer>, keys: ListKeys, put: PutValue): Promise<NamedValue> {
    const { values } = this.#tables;
    const place = `campaigns ${await sha256Hex(bytes)}`;
    return values.at(place, keys) ?? values.make(place, bytes, keys, put);
  }
}

/** IDs of the keys that seal values of the store and of releases, each once. */
export function keyIdsOf(
  own: readonly string[],
  ofReleases: readonly { readonly keyId: string }[],
): string[] {
  return [...new Set([...own, ...ofReleases.map(({ keyId }) => keyId)])].sort();
}
