/**
 * Everything that the coordinator stores in SQLite. Each part owns its tables; none of them uses KV.
 */

import type { DueQualification, ExpiringKey } from '../../shared/admin/status.ts';
import type { Client, DirectoryContent, DirectoryOrganisation } from '../../shared/clients.ts';
import { EXPIRING_SHOWN_MAX, EXPIRY_WARNED_MS } from '../../shared/limits/control.ts';
import { INSPECTION_WARNED_MS, INSPECTIONS_SHOWN_MAX } from '../../shared/limits/qualification.ts';
import type { Organisation } from '../../shared/organisations.ts';
import type { HeadCredentials, HeadText } from '../../shared/release/head.ts';
import { maySend, type Qualification, qualificationState } from '../../shared/senders/qualification.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { Token } from '../../shared/tokens.ts';
import { ActiveKeys } from './active-keys.ts';
import { DetectionStore } from './detection-store.ts';
import { DocumentStore } from './document-store.ts';
import { FeedSource } from './feed-source.ts';
import { HeadPart } from './head-part.ts';
import { Ledger } from './ledger.ts';
import { LiveStore } from './live-store.ts';
import { Meta } from './meta.ts';
import { People, type PeopleEnv } from './people.ts';
import { ProposalStore } from './proposal-store.ts';
import { QualificationNotices } from './qualification-notices.ts';
import { RegisteredSenders } from './registered-senders.ts';
import { ReleaseStore } from './release-store.ts';
import { RuleStore } from './rule-store.ts';
import { SegmentStore } from './segments.ts';
import { SettingsStore } from './settings-store.ts';
import { TokenHolders } from './token-holders.ts';

/** The documents that make up the client directory. */
interface DirectorySources {
  readonly clients: readonly Client[];
  readonly organisations: readonly Organisation[];
  readonly qualifications: readonly Qualification[];
}

export class Tables {
  readonly meta: Meta;
  readonly keys: ActiveKeys;
  readonly ledger: Ledger;
  readonly proposals: ProposalStore;
  readonly settings: SettingsStore;
  readonly live: LiveStore;
  readonly segments: SegmentStore;
  readonly releases: ReleaseStore;
  readonly feed: FeedSource;
  readonly registeredSenders: RegisteredSenders;
  readonly credentials: HeadPart<HeadCredentials>;
  readonly text: HeadPart<HeadText>;
  readonly organisations: DocumentStore<Organisation>;
  readonly qualifications: DocumentStore<Qualification>;
  readonly qualificationNotices: QualificationNotices;
  readonly clients: DocumentStore<Client>;
  readonly tokens: DocumentStore<Token>;
  readonly tokenHolders: TokenHolders;
  readonly detections: DetectionStore;
  readonly rules: RuleStore;

  /** @param people the environment variables that decide which people may act */
  constructor(storage: DurableObjectStorage, ring: KeyRing, people: PeopleEnv) {
    const { sql } = storage;
    this.meta = new Meta(sql);
    const keys = new ActiveKeys(ring, this.meta);
    this.keys = keys;
    this.organisations = new DocumentStore(sql, 'organisation');
    this.qualifications = new DocumentStore(sql, 'qualification');
    this.qualificationNotices = new QualificationNotices(storage, this.meta);
    this.clients = new DocumentStore(sql, 'client');
    this.tokens = new DocumentStore(sql, 'token');
    this.tokenHolders = new TokenHolders(sql);
    this.detections = new DetectionStore(sql);
    this.proposals = new ProposalStore(sql, this.meta, new People(this.tokens, this.organisations, people));
    this.ledger = new Ledger(storage, this.meta, this.proposals);
    this.settings = new SettingsStore(this.meta, this.ledger, this.proposals, keys);
    this.rules = new RuleStore(sql, this.ledger);
    this.live = new LiveStore(sql, keys);
    this.segments = new SegmentStore(sql, this.live, keys);
    this.releases = new ReleaseStore(sql);
    this.feed = new FeedSource(sql, this.meta, keys, this.live, this.releases);
    this.registeredSenders = new RegisteredSenders(this.meta, this.releases);
    this.credentials = new HeadPart(this.meta, 'credentials');
    this.text = new HeadPart(this.meta, 'text');
  }

  /**
   * The content of the client directory: the clients of active organisations, because the edge must not know any others,
   * and the organisations with data that a check needs.
   * @param next documents that a change puts in place of the stored ones
   */
  directoryContent({
    clients = this.clients.all,
    organisations = this.organisations.all,
    qualifications = this.qualifications.all,
  }: Partial<DirectorySources> = {}): DirectoryContent {
    const suspended = new Set(organisations.filter(({ state }) => state === 'suspended').map(({ id }) => id));
    const byId = new Map(
      qualifications.map(({ organisation, ...qualification }) => [organisation, qualification]),
    );
    return {
      clients: clients.filter(({ organisation }) => !suspended.has(organisation)),
      organisations: organisations.flatMap((organisation): DirectoryOrganisation[] => {
        const { id } = organisation;
        // Organisations stored by older versions lack this field.
        const senderCode = organisation.senderCode ?? null;
        const qualification = byId.get(id) ?? null;
        const state = suspended.has(id) ? { suspended: true as const } : {};
        const isPlain = senderCode === null && qualification === null && !suspended.has(id);
        return isPlain ? [] : [{ id, senderCode, qualification, ...state }];
      }),
    };
  }

  /** Inspections and ends that are overdue or due soon, of organisations that may send, by time. @param now ms since 1970 */
  dueQualifications(now: number): DueQualification[] {
    const until = new Date(now + INSPECTION_WARNED_MS).toISOString();
    return this.qualifications.all
      .filter((qualification) => maySend(qualificationState(qualification, now)))
      .flatMap(({ organisation, nextInspectionBy, validUntil }): DueQualification[] => [
        ...(nextInspectionBy === null
          ? []
          : [{ organisation, due: 'inspection', at: nextInspectionBy } as const]),
        ...(validUntil === null ? [] : [{ organisation, due: 'end', at: validUntil } as const]),
      ])
      .filter(({ at }) => at <= until)
      .sort((one, other) => (one.at < other.at ? -1 : 1))
      .slice(0, INSPECTIONS_SHOWN_MAX);
  }

  /** Keys that end soon, then keys that ended recently, each in order of their ends. @param now ms since 1970 */
  expiringKeys(now: number): ExpiringKey[] {
    const [from, at, to] = [-EXPIRY_WARNED_MS, 0, EXPIRY_WARNED_MS].map((ms) =>
      new Date(now + ms).toISOString(),
    ) as [string, string, string];
    const all = [
      ...this.clients.expiring(from, at, to).map((key) => ({ kind: 'client' as const, ...key })),
      ...this.tokens.expiring(from, at, to).map((key) => ({ kind: 'token' as const, ...key })),
    ].sort((one, other) => (one.expires < other.expires ? -1 : 1));
    const hasEnded = ({ expires }: ExpiringKey): boolean => expires <= at;
    return [...all.filter((key) => !hasEnded(key)), ...all.filter(hasEnded)].slice(0, EXPIRING_SHOWN_MAX);
  }

  /** Number of live entries that are not in a segment yet. */
  get unsealedEntries(): number {
    return this.live.counts(this.segments.sealedSeq).reduce((sum, { entries }) => sum + entries, 0);
  }
}
