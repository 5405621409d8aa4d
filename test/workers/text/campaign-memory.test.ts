/** The indexes in memory are read once and never contain unstored data. Wrong totals do not end a store. */
import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import { DAY_MS } from '../../../shared/time.ts';
import { CampaignRows } from '../../../workers/text/campaign-rows.ts';
import { CampaignWriter } from '../../../workers/text/campaign-writer.ts';
import type { TextStore } from '../../../workers/text/text-store.ts';
import { asAuthority, observe, shared } from '../support/campaigns.ts';
import { SPAM, textStore, textStub } from '../support/texts.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

test('a refused decision leaves the index in memory, and what it made known is forgotten', async () => {
  const until = Date.now() + DAY_MS;
  const [id = 0] = await observe(SPAM[0]!);
  const read = vi.spyOn(CampaignRows.prototype, 'ofKey');
  for (let times = 0; times < 3; times++) {
    expect(await textStore().confirmCampaign(asAuthority(), 999, until)).toMatchObject({ ok: false });
    expect(await textStore().confirmCampaign(asAuthority(null), id, until)).toMatchObject({ ok: false });
    expect(await textStore().revokeCampaign(asAuthority(), id)).toMatchObject({ ok: false });
    const known = await shared(SPAM[0]!);
    expect(await textStore().enrolCampaigns(asAuthority(null), known, until)).toMatchObject({ ok: false });
    expect(await textStore().matchCampaigns(known)).toMatchObject([{ campaign: 'c-1' }]);
  }
  expect(read).not.toHaveBeenCalled();
  // The first campaign enters the index, and the second one fails.
  const write = vi.spyOn(CampaignWriter.prototype, 'write');
  write.mockImplementation(() => {
    throw new Error('no room');
  });
  const given = await shared(SPAM[1]!, SPAM[2]!);
  // Not over RPC, where the error would count as unhandled.
  const failed = await runInDurableObject(textStub(), (instance) =>
    (instance as unknown as TextStore).enrolCampaigns(asAuthority(), given, until).catch(String),
  );
  expect(failed).toBe('Error: no room');
  write.mockRestore();
  expect(await textStore().matchCampaigns(given)).toMatchObject([{ campaign: null }, { campaign: null }]);
  expect(await observe(SPAM[1]!)).toEqual([2]);
});

test('to make room ends, also with a total that says more than there is', async () => {
  await observe(SPAM[0]!, SPAM[1]!);
  const removed = await runInDurableObject(textStub(), (_, { storage }) => {
    storage.sql.exec("INSERT OR REPLACE INTO totals VALUES ('begun gone', 7)");
    return storage.transactionSync(() => new CampaignRows(storage.sql).forgetLeast(5));
  });
  expect(removed).toEqual([]);
});
