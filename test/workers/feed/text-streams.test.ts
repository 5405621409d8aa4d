/** Campaigns and hosts on the routes of the feed, over a fake store: pages, the snapshot, and no decisions. */
import { beforeEach, expect, test } from 'vitest';
import { csvFields } from '../../../shared/csv.ts';
import type { FeedCloudEvent } from '../../../shared/feed/cloud-event.ts';
import { openPage } from '../../../shared/feed/open-page.ts';
import { chainOf, START, textAt } from '../../shared/support/feed-page.ts';
import { FakeFeed } from '../support/fake-feed.ts';
import { addConsumer, fetchAs } from '../support/feed-clients.ts';

let feed: FakeFeed;

beforeEach(async () => {
  feed = new FakeFeed(9, textAt);
  await addConsumer('clear', { encryption: 'none' });
});

test('are in pages with types of their own, and in the snapshot as NDJSON and CSV', async () => {
  const page = (await (await fetchAs('clear', '/v1/feed', feed)).json()) as FeedCloudEvent[];
  const [campaign, host] = ['kr.numgate.campaign.confirmed.v1', 'kr.numgate.host.listed.v1'];
  expect(page.slice(0, 3).map(({ type }) => type)).toEqual([campaign, campaign, host]);
  const opened = await openPage(page, null, START);
  expect(opened).toMatchObject({ ok: true, value: { events: feed.kept.map(({ entry }) => ({ entry })) } });
  const [, ...lines] = (await (await fetchAs('clear', '/v1/feed/snapshot', feed)).text()).trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { subject: string }).subject).slice(0, 3)).toEqual([
    ...['campaign', 'campaign', 'host'],
  ]);
  const csv = await (await fetchAs('clear', '/v1/feed/snapshot?format=csv', feed)).text();
  const [columns, ...rows] = csv.trimEnd().split('\n').map(csvFields);
  const field = (row: number, name: string): string => rows[row]![columns!.indexOf(name)]!;
  expect([field(0, 'textKeyId'), field(0, 'reporters'), field(0, 'number')]).toEqual([
    ...['0123456789abcdef', '0', ''],
  ]);
  expect([field(2, 'host'), field(2, 'list'), field(2, 'effect')]).toEqual(['h2.example', 'phish', 'block']);
});

test('are removed by events whose type says so', async () => {
  const { position, digest } = feed.last;
  const [gone] = chainOf(1, { ...START, position, digest }, () => null);
  for (const [before, type] of [
    [textAt(0), 'kr.numgate.campaign.revoked.v1'],
    [textAt(2), 'kr.numgate.host.unlisted.v1'],
  ] as const) {
    feed.kept[position] = { ...gone!, before };
    const path = `/v1/feed?lastEventId=${feed.cursorOf(position)}`;
    const page = (await (await fetchAs('clear', path, feed)).json()) as FeedCloudEvent[];
    expect(page).toMatchObject([{ type, method: 'DELETE' }]);
    expect((await openPage(page, null, { ...START, position, digest })).ok).toBe(true);
  }
});

test('are no decisions for bouncers', async () => {
  const poll = async (query: string) => (await fetchAs('clear', `/v1/decisions/stream${query}`, feed)).json();
  expect(await poll('?startup=true')).toEqual({ new: [], deleted: [] });
  feed.append(3);
  const changed = (await poll('')) as { readonly new: readonly unknown[] };
  expect(changed.new).toHaveLength(1);
  feed.kept.push({ ...feed.last, entry: null, before: textAt(0) });
  expect(await poll('')).toEqual({ new: [], deleted: [] });
});
