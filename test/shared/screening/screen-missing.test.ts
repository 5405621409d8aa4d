/**
 * Verdicts when values of the release are missing, compared with a plain model that tries every possible
 * content of these values. A definite verdict is right for all contents, and a block that holds for all
 * contents is returned as a block.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintKey, type LiveEntry, type LiveOp, numberKey } from '../../../shared/live/entry.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import { UNKNOWN_INGRESS } from '../../../shared/screening/parse-gateway-request.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { Snapshot } from '../../../shared/screening/snapshot.ts';
import { fingerprintsOf } from '../../../shared/sources/source.ts';
import { EFFECTS, type Effect, strength, type Verdict } from '../../../shared/verdict.ts';
import { build, install } from '../support/built-release.ts';
import { layerOf, liveEntry } from '../support/live.ts';
import { EVER, type PlainList, plainList } from '../support/plain-model.ts';
import { holdsAsync } from '../support/properties.ts';
import { clientSettings, number, snapshot } from '../support/screen-world.ts';
import { testKeys } from '../support/test-keys.ts';

/** Senders from abroad. The policy blocks the first one, labels the second one, and blocks impossible numbers. */
const SENDERS = { domestic: 82_221_234_567, foreign: 639_171_234_567, impossible: 9_991_234_567 } as const;
const OPERATOR = '51502';
const OTHER = 86_130_000_000_00;

/** A random list. It contains the sender, the operator, something else, or nothing. */
interface ListDraw {
  readonly effect: Effect;
  readonly subject: 'from' | 'to';
  readonly folded: boolean;
  readonly numbers: 'none' | 'other' | 'sender';
  readonly ranges: 'none' | 'other' | 'sender';
  readonly sources: 'none' | 'other' | 'operator';
}
const KINDS = ['numbers', 'ranges', 'sources'] as const;
type Kind = (typeof KINDS)[number];
const kind = <Own extends string>(own: Own) =>
  fc.constantFrom<('none' | 'other' | Own)[]>('none', 'none', 'other', own);

const world = fc.record({
  sender: fc.constantFrom(...(Object.keys(SENDERS) as (keyof typeof SENDERS)[])),
  /** A gateway request has an ingress and a sender from abroad; a check has a recipient. */
  gateway: fc.boolean(),
  lists: fc.array(
    fc.record({
      effect: fc.constantFrom(...EFFECTS),
      subject: fc.constantFrom('from', 'from', 'to'),
      folded: fc.boolean(),
      numbers: kind('sender'),
      ranges: kind('sender'),
      sources: kind('operator'),
    }) as fc.Arbitrary<ListDraw>,
    { maxLength: 4 },
  ),
  live: fc.constantFrom<(LiveOp | null)[]>(null, null, 'block', 'unblock', 'clear'),
  liveOperator: fc.constantFrom<(LiveOp | null)[]>(null, null, 'block', 'unblock', 'clear'),
  missing: fc.subarray([...KINDS]),
});
type World = typeof world extends fc.Arbitrary<infer Drawn> ? Drawn : never;

function listsOf({ sender, lists }: World): PlainList[] {
  const n = SENDERS[sender];
  return lists.map(({ effect, subject, folded, numbers, ranges, sources }, index) => {
    const listed = numbers === 'sender' ? n : OTHER;
    const from = ranges === 'sender' ? n : OTHER;
    const text = `operator:${sources === 'operator' ? OPERATOR : '45000'}`;
    const list = plainList(`${folded ? 'live-' : ''}list-${index}`, {
      numbers: numbers === 'none' ? [] : [{ n: listed, ...EVER }],
      ranges: ranges === 'none' ? [] : [{ from, to: from + 9, ...EVER }],
      sources: sources === 'none' ? [] : [{ text, ...EVER }],
    });
    return { ...list, info: { ...list.info, effect, subjects: [subject] } };
  });
}

function liveOf({ sender, live, liveOperator }: World): LiveEntry[] {
  const operator = fingerprintsOf({ kind: 'operator', name: OPERATOR }, testKeys.sourceSeed).spelling;
  const entry = (key: Parameters<typeof liveEntry>[0], op: LiveOp | null): LiveEntry[] =>
    op === null ? [] : [liveEntry(key, { op })];
  return [...entry(numberKey(SENDERS[sender]), live), ...entry(fingerprintKey(operator), liveOperator)];
}

/** The verdict for one party, from its live entry, the effects of its lists, and the rule. */
function verdictOf(live: LiveOp | null, effects: readonly Effect[], rule: Verdict): Verdict | 'override' {
  if (live === 'unblock' || effects.includes('allow')) return 'override';
  if (live === 'block' || effects.includes('block') || rule === 'block') return 'block';
  return effects.includes('label') ? 'label' : 'allow';
}

/** Whether a list contains the party, for one possible content of the values. */
type Has = (list: ListDraw, kind: Kind) => boolean;

/** The plain model: one verdict for one content. */
function modelVerdict({ sender, gateway, lists, live, liveOperator }: World, has: Has): Verdict {
  const subject = gateway ? 'from' : 'to';
  const effectsOf = (kinds: readonly Kind[], over: LiveOp | null): Effect[] =>
    lists
      .filter((list) => list.subject === subject && !(list.folded && over !== null))
      .filter((list) => kinds.some((each) => has(list, each)))
      .map(({ effect }) => effect);
  const isImpossible = sender === 'impossible';
  const party = verdictOf(
    live,
    effectsOf(['numbers', 'ranges'], live),
    isImpossible && !gateway ? 'block' : 'allow',
  );
  if (!gateway) return party === 'override' ? 'allow' : party;
  const operator = verdictOf(liveOperator, effectsOf(['sources'], liveOperator), 'allow');
  const isLetGo = party === 'override' || operator === 'override';
  const policy: Verdict = isLetGo ? 'allow' : sender === 'foreign' ? 'label' : 'block';
  const decided = [party, operator, policy].map((each) => (each === 'override' ? 'allow' : each));
  return decided.toSorted((a, b) => strength(b) - strength(a))[0]!;
}

const really: Has = (list, each) => list[each] === 'sender' || list[each] === 'operator';

/**
 * Every verdict that some content of the missing values can give. A list with entries in these values may
 * contain any party.
 */
function possibleVerdicts(drawn: World): Set<Verdict> {
  const open = drawn.lists.flatMap((list) =>
    KINDS.filter((each) => drawn.missing.includes(each) && list[each] !== 'none').map((each) => ({
      list,
      each,
    })),
  );
  const verdicts = new Set<Verdict>();
  for (let content = 0; content < 2 ** open.length; content++) {
    const has: Has = (list, each) => {
      const bit = open.findIndex((place) => place.list === list && place.each === each);
      return bit < 0 ? really(list, each) : Math.floor(content / 2 ** bit) % 2 === 1;
    };
    verdicts.add(modelVerdict(drawn, has));
  }
  return verdicts;
}

/** Whether any list except shadow lists may have an entry in the missing values. */
function mayDecide({ gateway, lists, missing }: World): boolean {
  const own = lists.filter(
    ({ subject, effect }) => subject === (gateway ? 'from' : 'to') && effect !== 'shadow',
  );
  return own.some((list) => missing.some((each) => list[each] !== 'none'));
}

async function snapshotOf(drawn: World, missing: readonly Kind[]): Promise<Snapshot> {
  const built = await build(listsOf(drawn));
  const { ranges, sources } = built.manifest;
  const kindOf = (key: string): Kind =>
    key === ranges?.key ? 'ranges' : key === sources?.key ? 'sources' : 'numbers';
  const release = await install(built, ({ key }) => !missing.includes(kindOf(key)));
  expect(
    blobsOf(built.manifest).every((blob) => release.has(blob) !== missing.includes(kindOf(blob.key))),
  ).toBe(true);
  return { ...snapshot('none'), release, live: layerOf(...liveOf(drawn)) };
}

function check({ sender, gateway }: World, at: Snapshot): Verdict {
  const party = number(SENDERS[sender]);
  const ingress = { ...UNKNOWN_INGRESS, type: 'international' as const, operator: OPERATOR };
  const fields = gateway ? { from: party, to: null, ingress } : { from: null, to: party, ingress: null };
  return screen({ channel: 'voice', otherReadings: [], ...fields }, at, clientSettings()).verdict;
}

describe('a verdict with values of the release missing', () => {
  it('equals that of the whole release or is indeterminate, and stays a block if no missing value could lift it', async () => {
    await holdsAsync(
      fc.asyncProperty(world, async (drawn) => {
        const whole = check(drawn, await snapshotOf(drawn, []));
        expect(whole).toBe(modelVerdict(drawn, really));
        const verdict = check(drawn, await snapshotOf(drawn, drawn.missing));
        const possible = possibleVerdicts(drawn);
        expect(possible).toContain(whole);
        if (verdict !== 'indeterminate') expect([...possible]).toEqual([verdict]);
        if (possible.size === 1 && possible.has('block')) expect(verdict).toBe('block');
        if (!mayDecide(drawn)) expect(verdict).toBe(whole);
      }),
      { numRuns: 400 },
    );
  });
});
