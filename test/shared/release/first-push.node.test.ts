/** The demo lists as `npm start` builds them, with a smaller sample. Their first push hits no guard. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { sample } from '../../../cli/commands/sample.ts';
import { readCatalogue } from '../../../cli/import/catalogue.ts';
import { collect } from '../../../cli/import/collect.ts';
import { DEMO_CATALOGUE, DEMO_INPUTS } from '../../../cli/paths.ts';
import { temporaryFolder } from '../../../cli/temporary.ts';
import { ListEntries } from '../../../shared/build/list-entries.ts';
import { buildRelease } from '../../../shared/build/release.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import { createPlan } from '../../../shared/release/plan.ts';
import { OPTIONS } from '../support/built-release.ts';
import { loadFrom, valueIn } from '../support/planned.ts';
import { sourceFingerprint } from '../support/sources.ts';
import { testKeys } from '../support/test-keys.ts';

it('hits no guard', async () => {
  const { path: folder, remove } = temporaryFolder('first-push');
  try {
    await sample({ size: 100_000, seed: 1, out: join(folder, 'kr-sample.csv.gz') });
    const feed = createRequire(import.meta.url).resolve('@ip1sms/disposable-phone-numbers/number-list.json');
    const abroad = Object.keys(JSON.parse(readFileSync(feed, 'utf8')) as object);
    writeFileSync(join(folder, 'overseas.csv'), `number\n${abroad.map((digits) => `+${digits}\n`).join('')}`);
    const demo = readCatalogue(DEMO_CATALOGUE);
    const inputs = demo.inputs.map((input) =>
      input.path.startsWith(DEMO_INPUTS) ? { ...input, path: join(folder, basename(input.path)) } : input,
    );
    const lists = demo.lists.map(() => new ListEntries(testKeys.permutation));
    await collect(
      { ...demo, inputs },
      {
        now: OPTIONS.createdAt.getTime() / 1000,
        onEntry: ({ list, what, dates }) => {
          const entries = lists[list]!;
          if (what.kind === 'number') entries.addNumber(what.n, dates);
          else if (what.kind === 'ranges')
            entries.ranges.push(...what.ranges.map((range) => ({ ...range, ...dates })));
          else
            entries.sources.push({
              fingerprint: sourceFingerprint(what.source.name, testKeys.sourceSeed),
              ...dates,
            });
        },
        onReject: () => undefined,
        onProgress: () => undefined,
      },
    );
    const built = await buildRelease(
      demo.lists.map(({ name, reason, effect, subjects, authority }, index) => ({
        info: { name, reason, effect, subjects, authority, asOf: OPTIONS.createdAt.toISOString() },
        content: lists[index]!.finish(),
      })),
      testKeys,
      OPTIONS,
    );
    if (!built.ok) throw new Error(built.message);
    const input = { base: null, next: built.value.manifest, keys: testKeys, load: loadFrom([built.value]) };
    const plan = valueIn(await createPlan({ ...input, settings: DEFAULT_GUARDS }));
    expect(plan.guards).toEqual([]);
    expect(
      plan.lists.map(({ numbers, dated, ranges, sources }) =>
        [numbers, dated, ranges, sources].some(({ added }) => added > 0),
      ),
    ).toEqual(demo.lists.map(() => true));
  } finally {
    remove();
  }
});
