/** Which organisation gets which notice about a sender, compared with what it should know after any sequence of events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartyEntry, PartyEvent } from '../../../shared/feed/entry.ts';
import type { NewNotice } from '../../../shared/notices/notice.ts';
import {
  needsFacts,
  type RoutedSender,
  type RoutingFacts,
  routeEvent,
} from '../../../shared/notices/routing.ts';

const NUMBER = '+821020001234';
const AT = '2026-11-27T03:00:00.000Z';
const SKT = { id: 'skt', authority: 'skt' };
const KT = { id: 'kt', authority: 'kt' };

const FACTS: RoutingFacts = {
  registered: ['acme', 'relay'],
  operators: [SKT, KT],
  reports: { channel: 'sms', kind: 'loan', firstAt: Date.parse(AT) - 60_000, lastAt: Date.parse(AT) - 1_000 },
  charge: () => true,
};

function entry(rest: Partial<PartyEntry> = {}): PartyEntry {
  return {
    ...{ number: NUMBER, source: null, subject: 'from', effect: 'block', code: 'SENDER_REPORTED' },
    ...{ authority: 'numgate', list: 'live', rule: 'kr-50@1', stage: 'provisional', until: AT },
    ...rest,
  };
}

function event(position: number, given: PartyEntry | null): PartyEvent {
  return { position, epoch: 1, reference: 'r'.repeat(22), entry: given, at: AT, digest: '' };
}

/** Routes events one after another, like the router. */
function route(given: readonly (PartyEntry | null)[], facts = FACTS) {
  let row: RoutedSender | null = null;
  const notices: (readonly [string, NewNotice])[] = [];
  for (const [index, each] of given.entries()) {
    const next = event(index + 1, each);
    const routed: ReturnType<typeof routeEvent> = routeEvent(
      next,
      row,
      needsFacts(next, row) ? facts : null,
      '0',
    );
    row = routed.row;
    notices.push(...routed.notices);
  }
  return { row, notices, types: notices.map(([id, { type }]) => `${id} ${type}`).sort() };
}

const BLOCKED = ['acme sender.blocked', 'relay sender.blocked'];
const UNBLOCKED = ['acme sender.unblocked', 'relay sender.unblocked'];

describe('a reported sender', () => {
  it('gives three notices: to those who registered it, to operators, and to the operator of its owner', () => {
    const { types, notices } = route([entry()]);
    expect(types).toEqual(
      [...BLOCKED, 'skt owner.blocked', 'skt recipients.guidance', 'kt recipients.guidance'].sort(),
    );
    const guidance = notices.find(([, { type }]) => type === 'recipients.guidance')![1];
    expect(guidance.subject).toBe('r'.repeat(22));
    expect(guidance.respondBy).toBe(Date.parse(AT) + 86_400_000);
    expect(guidance.data).toMatchObject({
      ...{ number: NUMBER, channel: 'sms', kind: 'loan', code: 'SENDER_REPORTED' },
      ...{ firstSeenAt: '2026-11-27T02:00:00.000Z', lastSeenAt: '2026-11-27T03:00:00.000Z' },
      respondBy: '2026-11-28T03:00:00.000Z',
    });
    // No notice reveals who else has registered the number or gets the notice.
    for (const [, notice] of notices) {
      const { authority: _, ...data } = notice.data;
      expect(JSON.stringify({ ...notice, data })).not.toMatch(/acme|relay|skt|"kt"/);
      expect(notice.key + notice.subject).not.toContain('20001234');
    }
  });

  it('shows the hours of the reports, and no time of one report', () => {
    const seen = (firstAt: string, lastAt: string) => {
      const reports = { ...FACTS.reports!, firstAt: Date.parse(firstAt), lastAt: Date.parse(lastAt) };
      const { notices } = route([entry()], { ...FACTS, reports });
      const { firstSeenAt, lastSeenAt } = notices.find(([, { type }]) => type === 'recipients.guidance')![1]
        .data;
      return [firstSeenAt, lastSeenAt];
    };
    const hour = ['2026-11-27T02:00:00.000Z', '2026-11-27T03:00:00.000Z'];
    expect(seen('2026-11-27T02:00:00Z', '2026-11-27T02:59:59.999Z')).toEqual(hour);
    expect(seen('2026-11-27T02:17:41.123Z', '2026-11-27T02:17:41.123Z')).toEqual(hour);
    expect(seen('2026-11-27T02:59:59.999Z', '2026-11-27T03:00:00Z')[1]).toBe('2026-11-27T04:00:00.000Z');
  });

  it('gives those who registered it each change, and nobody the same twice', () => {
    const confirmed = entry({ stage: 'confirmed', until: null });
    const { types } = route([entry(), entry(), confirmed, confirmed, entry({ ...confirmed, list: 'moved' })]);
    expect(types.filter((each) => each.includes('sender.blocked'))).toEqual([...BLOCKED, ...BLOCKED].sort());
    expect(types.filter((each) => each.includes('guidance'))).toHaveLength(2);
  });

  it('gives one notice of its end to each who knows of it', () => {
    const ends = ['kt sender.unblocked', 'skt owner.unblocked', 'skt sender.unblocked', ...UNBLOCKED].sort();
    for (const last of [null, entry({ effect: 'allow', code: null, rule: null, stage: null })]) {
      const { types, row, notices } = route([entry(), last, null]);
      expect(types.filter((each) => each.includes('unblocked'))).toEqual(ends);
      expect(row).toBeNull();
      expect(notices.at(-1)![1].data).toMatchObject({ number: NUMBER, isLifted: last !== null });
    }
  });

  it('gives guidance again only after it was unblocked', () => {
    const { types } = route([entry(), entry({ until: null }), null, entry()]);
    expect(types.filter((each) => each === 'kt recipients.guidance')).toHaveLength(2);
  });
});

describe('other entries', () => {
  it('of other codes concern only those who registered the number', () => {
    const { types } = route([entry({ code: 'NUMBER_SUSPENDED', rule: null, stage: null }), null]);
    expect(types).toEqual([...BLOCKED, ...UNBLOCKED].sort());
  });

  it('that lift a block of a list are notices too', () => {
    const lifted = entry({ effect: 'allow', code: null, rule: null, stage: null });
    expect(route([lifted, null]).types).toEqual(UNBLOCKED);
  });

  it('of recipients, and ends of what nobody knows, concern nobody', () => {
    expect(route([entry({ subject: 'to' }), null]).types).toEqual([]);
    expect(route([null]).types).toEqual([]);
  });

  it('are not told to the operator that made them', () => {
    const own = entry({ authority: 'skt', rule: null, stage: null });
    expect(route([own]).types).not.toContain('skt owner.blocked');
  });

  it('beyond what an operator gets in a day are dropped for it alone', () => {
    const facts = { ...FACTS, charge: (id: string) => id === 'kt' };
    expect(route([entry(), null], facts).types).toEqual(
      [...BLOCKED, ...UNBLOCKED, 'kt recipients.guidance', 'kt sender.unblocked'].sort(),
    );
  });

  it('of a sender that nobody reported give guidance without what was seen', () => {
    const { notices } = route([entry({ rule: null })], { ...FACTS, reports: null });
    const guidance = notices.find(([, { type }]) => type === 'recipients.guidance')![1];
    expect(guidance.data).toMatchObject({ channel: null, kind: null, firstSeenAt: null, lastSeenAt: null });
  });
});

it('whatever happens to a sender, each organisation ends up knowing whether it is blocked', () => {
  const some = fc.constantFrom<PartyEntry | null>(
    ...[null, entry(), entry({ stage: 'confirmed', until: null }), entry({ effect: 'label' })],
    ...[entry({ code: 'NUMBER_SUSPENDED', rule: null, stage: null }), entry({ effect: 'shadow' })],
    entry({ effect: 'allow', code: null, rule: null, stage: null }),
  );
  fc.assert(
    fc.property(fc.array(some, { maxLength: 12 }), (given) => {
      const { notices } = route(given);
      const last = given.at(-1) ?? null;
      const isBlocked = last?.effect === 'block' || last?.effect === 'label';
      const known = new Map<string, boolean>();
      for (const [id, { type }] of notices) {
        if (type === 'sender.blocked') known.set(id, true);
        if (type === 'sender.unblocked' && known.has(id)) known.set(id, false);
        if (type === 'owner.blocked') known.set(`owner ${id}`, true);
        if (type === 'owner.unblocked') {
          // Only organisations that learned of a block learn of its end.
          expect(known.get(`owner ${id}`)).toBe(true);
          known.set(`owner ${id}`, false);
        }
      }
      for (const [id, isKnown] of known) if (!id.startsWith('owner')) expect(isKnown).toBe(isBlocked);
      if (!isBlocked) expect([...known.values()]).not.toContain(true);
      if (isBlocked) expect(known.get('acme')).toBe(true);
      expect(new Set(notices.map(([id, { key }]) => `${id} ${key}`)).size).toBe(notices.length);
    }),
  );
});
