/**
 * The values that the store publishes: shards of the credential table, status lists, and the index that names them. A change
 * marks the place of its credential, so that only the shard with this place is made again.
 */
import { sha256Hex, utf8 } from '../../shared/bytes.ts';
import { type CredentialIndex, credentialShardCount } from '../../shared/credentials/credential-index.ts';
import { encodeCredentials } from '../../shared/credentials/credential-table.ts';
import { digestOf } from '../../shared/credentials/keys.ts';
import { encodePassportTable } from '../../shared/credentials/passport-table.ts';
import { deflate } from '../../shared/credentials/status-list.ts';
import type { NamedValue } from '../../shared/release/head.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { CredentialsUpdate } from '../storage/credentials-port.ts';
import type { PutValue } from '../storage/head-publication.ts';
import type { SealedValues } from '../storage/sealed-values.ts';
import type { CertificateRows } from './certificate-rows.ts';
import type { DelegationRows } from './delegation-rows.ts';
import type { Meta } from './meta.ts';
import type { PassportRows } from './passport-rows.ts';
import { PLACES, placeOf } from './places.ts';
import type { StatusListRows } from './status-list-rows.ts';

/** The end of the service's own list, which never becomes stale because it is as fresh as the head. */
const NEVER_S = 0xfffffffe;

export interface PublicationTables {
  readonly meta: Meta;
  readonly values: SealedValues;
  readonly certificates: CertificateRows;
  readonly delegations: DelegationRows;
  readonly lists: StatusListRows;
  readonly passport: PassportRows;
}

export class Publication {
  readonly #storage: DurableObjectStorage;
  readonly #tables: PublicationTables;

  constructor(storage: DurableObjectStorage, tables: PublicationTables) {
    this.#storage = storage;
    this.#tables = tables;
  }

  /** The version of the last change; 0 before the first change. */
  get version(): number {
    return this.#tables.meta.number('version');
  }

  /** Whether the head may lack changes. */
  get isBehind(): boolean {
    return this.#tables.meta.number('publishedVersion') < this.version;
  }

  /**
   * Records a change. Must run in its transaction.
   * @param digests of credentials that were added, removed or changed
   */
  changed(digests: Iterable<string> = []): void {
    const version = this.version + 1;
    this.#tables.meta.set('version', version);
    for (const place of new Set([...digests].map(placeOf)))
      this.#storage.sql.exec('INSERT OR REPLACE INTO dirty VALUES (?, ?)', place, version);
  }

  /** Marks all shards to be made again. @param version above that of the head */
  restart(version: number): void {
    this.#storage.transactionSync(() => {
      this.#tables.meta.set('version', version);
      for (let place = 0; place < PLACES; place++)
        this.#storage.sql.exec('INSERT OR REPLACE INTO dirty VALUES (?, ?)', place, version);
    });
  }

  /** Records that the head has this version. */
  setPublished(version: number): void {
    const { meta } = this.#tables;
    meta.set('publishedVersion', Math.max(version, meta.number('publishedVersion')));
  }

  /** Makes the values that are due, and the index. Calls must not overlap. @param ownUri of the service's own list */
  async make(keys: ListKeys, put: PutValue, ownUri: string): Promise<CredentialsUpdate> {
    const { values } = this.#tables;
    // Credentials that change during this call stay marked, whether or not the values have the change.
    const { version } = this;
    const shards = await this.#shards(keys, put, ownUri);
    const statusLists = await this.#statusLists(keys, put, ownUri);
    const passport = await this.#passport(keys, put);
    const index: CredentialIndex = {
      ...{ kind: 'numgate-credentials', format: 1, version, shards, statusLists, passport },
    };
    const named = await values.make('index', utf8(JSON.stringify(index)), keys, put);
    const all = [...shards, ...statusLists.map(({ value }) => value), named];
    if (passport !== null) all.push(passport);
    return this.#storage.transactionSync(() => {
      values.setNamed(all);
      this.#storage.sql.exec('DELETE FROM dirty WHERE version <= ?', version);
      const { unwritten, keyIds } = values;
      return { head: { version, index: named }, named: values.named, unwritten, keyIds };
    });
  }

  async #passport(keys: ListKeys, put: PutValue): Promise<NamedValue | null> {
    const { passport, values } = this.#tables;
    const rows = passport.published(Date.now());
    if (rows.length === 0) return null;
    const bytes = encodePassportTable(rows);
    const place = `passport ${await sha256Hex(bytes)}`;
    return values.at(place, keys) ?? values.make(place, bytes, keys, put);
  }

  async #shards(keys: ListKeys, put: PutValue, ownUri: string): Promise<NamedValue[]> {
    const { certificates, delegations, values } = this.#tables;
    const count = credentialShardCount(certificates.total + delegations.total);
    const width = PLACES / count;
    const dirty = new Set(
      this.#storage.sql
        .exec<{ place: number }>('SELECT place FROM dirty')
        .toArray()
        .map(({ place }) => Math.floor(place / width)),
    );
    const shards: NamedValue[] = [];
    for (let shard = 0; shard < count; shard++) {
      const place = `shard ${shard} of ${count}`;
      const known = dirty.has(shard) ? null : values.at(place, keys);
      const [from, to] = [shard * width, (shard + 1) * width - 1];
      const make = (): Promise<NamedValue> => {
        const rows = [
          ...certificates.credentials(from, to, ownUri),
          ...delegations.credentials(from, to, ownUri),
        ];
        return values.make(place, encodeCredentials(rows), keys, put);
      };
      shards.push(known ?? (await make()));
    }
    return shards;
  }

  async #statusLists(
    keys: ListKeys,
    put: PutValue,
    ownUri: string,
  ): Promise<CredentialIndex['statusLists'][number][]> {
    const { lists, delegations, values } = this.#tables;
    const own = delegations.statuses;
    const ownBytes = await deflate(own);
    const ownPlace = `own ${await digestOf(`${ownBytes}`)}`;
    const all: CredentialIndex['statusLists'][number][] = [
      {
        ...{ uri: ownUri, iat: Math.floor(Date.now() / 1000), exp: NEVER_S, size: own.size, bits: own.bits },
        value: values.at(ownPlace, keys) ?? (await values.make(ownPlace, ownBytes, keys, put)),
      },
    ];
    for (const { uri, iat, exp, size, bits } of lists.all) {
      const place = `list ${iat} ${uri}`;
      const value = values.at(place, keys) ?? (await values.make(place, lists.deflated(uri), keys, put));
      all.push({ uri, iat, exp, size, bits, value });
    }
    return all;
  }
}
