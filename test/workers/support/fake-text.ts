/** The text store as the feed sees it: campaigns with versions, and the host lists in force. */
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import type { FeedEntry, TextEntry } from '../../../shared/feed/entry.ts';
import { seal } from '../../../shared/set/seal.ts';
import { encodeHosts } from '../../../shared/text/host-table.ts';
import type { HostListInfo } from '../../../shared/text/text-manifest.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type {
  SharedCampaign,
  TextChanges,
  TextCursor,
  TextSource,
} from '../../../workers/storage/text-port.ts';
import { testKeys } from '../../shared/support/test-keys.ts';

export interface FakeHostList extends Omit<HostListInfo, 'hosts' | 'asOf'> {
  readonly hosts: readonly string[];
}

export class FakeText implements TextSource {
  generation = 'g1';
  version = 0;
  /** Campaigns, each with the version of its newest change. */
  campaigns = new Map<number, { readonly campaign: SharedCampaign; readonly version: number }>();
  hosts: TextChanges['hosts'] = null;
  lists: readonly FakeHostList[] = [];
  /** Called before and after each answer. */
  fault: () => 'before' | 'after' | null = () => null;
  /** Number of calls of textChanges. */
  calls = 0;
  readonly #values = new Map<string, Uint8Array<ArrayBuffer>>();

  /** Replaces the real store for the rest of the test. */
  constructor() {
    vi.spyOn((env as unknown as ControlEnv).TEXT, 'getByName').mockReturnValue(this as never);
  }

  put(campaign: SharedCampaign): void {
    this.campaigns.set(campaign.id, { campaign, version: ++this.version });
  }

  /** Puts a text release with these lists in force. */
  async promote(release: string, lists: readonly FakeHostList[]): Promise<void> {
    this.lists = lists;
    this.version++;
    if (lists.length === 0) {
      this.hosts = null;
      return;
    }
    const rows = lists.flatMap(({ hosts }, list) => hosts.map((host) => ({ host, list })));
    const bytes = await seal(encodeHosts(rows), testKeys);
    const sha256 = await sha256Hex(bytes);
    const value = { key: `text/${sha256}`, sha256 };
    this.#values.set(value.key, bytes);
    const infos = lists.map(({ hosts, ...info }) => ({
      ...{ ...info, hosts: hosts.length, asOf: '2026-11-27T00:00:00.000Z' },
    }));
    this.hosts = { release, value, lists: infos };
  }

  /** The entries that the feed should have. @param now ms since 1970 */
  entries(): TextEntry[] {
    const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
    const campaigns = [...this.campaigns.values()].flatMap(({ campaign }): TextEntry[] => {
      const { id: _, state, until, firstSeen, lastSeen, ...rest } = campaign;
      if (state !== 'confirmed') return [];
      const times = { firstSeen: time(firstSeen), lastSeen: time(lastSeen), until: time(until!) };
      return [{ subject: 'campaign', ...rest, ...times }];
    });
    const hosts = this.lists
      .filter(({ effect, fromFeed = false }) => effect !== 'shadow' && !fromFeed)
      .flatMap(({ name, effect, authority, hosts: own }) =>
        own.map((host): TextEntry => ({ subject: 'host', host, list: name, effect, authority })),
      );
    return [...campaigns, ...hosts];
  }

  async textChanges(after: TextCursor | null, limit: number): Promise<TextChanges> {
    this.calls++;
    const fault = this.fault();
    if (fault === 'before') throw new Error('it does not respond');
    const { version = 0, id = 0 } = after?.generation === this.generation ? after : {};
    const all = [...this.campaigns.values()]
      .filter((each) => each.version > version || (each.version === version && each.campaign.id > id))
      .sort((a, b) => a.version - b.version || a.campaign.id - b.campaign.id);
    const some = all.slice(0, limit);
    const last = some.at(-1);
    if (fault === 'after') throw new Error('the answer is lost');
    return {
      generation: this.generation,
      campaigns: some.map(({ campaign }) => campaign),
      next:
        last === undefined
          ? after
          : { generation: this.generation, version: last.version, id: last.campaign.id },
      more: all.length > some.length,
      hosts: this.hosts,
    };
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.fault() === 'before') throw new Error('it does not respond');
    return this.#values.get(key) ?? null;
  }
}

/** @param id determines the fingerprint, too */
export function campaignOf(id: number, more: Partial<SharedCampaign> = {}): SharedCampaign {
  const fingerprint = btoa(String.fromCharCode(...new Uint8Array(128).fill(id % 251)));
  return {
    ...{ id, state: 'confirmed', until: 2_300_000_000, fingerprint, textKeyId: '0123456789abcdef' },
    ...{ authority: 'kisa', rule: null, stage: null, firstSeen: 2_000_000_000, lastSeen: 2_000_000_100 },
    ...{ reporters: 12 },
    ...more,
  };
}

/** Sorts entries, which have no names, in any fixed order. */
export function sorted(entries: Iterable<FeedEntry>): string[] {
  return [...entries].map((entry) => JSON.stringify(Object.entries(entry).sort())).sort();
}
