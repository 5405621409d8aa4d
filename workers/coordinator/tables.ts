/**
 * Everything that the coordinator stores in SQLite. Each part owns its tables; none of them uses KV.
 */

import type { Client } from '../../shared/clients.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { Token } from '../../shared/tokens.ts';
import { DocumentStore } from './document-store.ts';
import { Ledger } from './ledger.ts';
import { LiveStore } from './live-store.ts';
import { Meta } from './meta.ts';
import { People, type PeopleEnv } from './people.ts';
import { ProposalStore } from './proposal-store.ts';
import { ReleaseStore } from './release-store.ts';
import { SegmentStore } from './segments.ts';
import { SettingsStore } from './settings-store.ts';

export class Tables {
  readonly meta: Meta;
  readonly ledger: Ledger;
  readonly proposals: ProposalStore;
  readonly settings: SettingsStore;
  readonly live: LiveStore;
  readonly segments: SegmentStore;
  readonly releases: ReleaseStore;
  readonly organisations: DocumentStore<Organisation>;
  readonly clients: DocumentStore<Client>;
  readonly tokens: DocumentStore<Token>;

  /** @param people what the environment has for them */
  constructor(storage: DurableObjectStorage, keys: ListKeys, people: PeopleEnv) {
    const { sql } = storage;
    this.meta = new Meta(sql);
    this.organisations = new DocumentStore(sql, 'organisation');
    this.clients = new DocumentStore(sql, 'client');
    this.tokens = new DocumentStore(sql, 'token');
    this.proposals = new ProposalStore(sql, this.meta, new People(this.tokens, this.organisations, people));
    this.ledger = new Ledger(storage, this.meta, this.proposals);
    this.settings = new SettingsStore(this.meta, this.ledger, this.proposals, keys);
    this.live = new LiveStore(sql, keys);
    this.segments = new SegmentStore(sql, this.live, keys);
    this.releases = new ReleaseStore(sql);
  }

  /** The clients that the directory contains. */
  get servedClients(): Client[] {
    return servedClients(this.clients.all, this.organisations.all);
  }

  /** Number of live entries that are not in a segment yet. */
  get unsealedEntries(): number {
    return this.live.counts(this.segments.sealedSeq).reduce((sum, { entries }) => sum + entries, 0);
  }
}

/** The clients of active organisations. The edge does not know the others. */
export function servedClients(clients: readonly Client[], organisations: readonly Organisation[]): Client[] {
  const suspended = new Set(organisations.filter(({ state }) => state === 'suspended').map(({ id }) => id));
  return clients.filter(({ organisation }) => !suspended.has(organisation));
}
