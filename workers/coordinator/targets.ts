/**
 * Turns the items of an operation into targets, and rejects numbers that must never be blocked by hand.
 */
import type { EntryChange } from '../../shared/admin/entries.ts';
import { BULK_ENTRIES_MAX, ITEMS_SHOWN_MAX } from '../../shared/limits/control.ts';
import type { ChangeOp } from '../../shared/live/entry.ts';
import { fingerprintKey, numberKey } from '../../shared/live/entry.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import { isEmergency, isEmergencyNumber } from '../../shared/numbers/plan.ts';
import { isValidNumber } from '../../shared/numbers/validity.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { fingerprintsOf, formatSource, parseSource } from '../../shared/sources/source.ts';
import { findTestNumber } from '../../shared/test-numbers.ts';
import { type ChangeResult, refuse, refuseField } from './change-request.ts';
import type { Target } from './live-row.ts';

/** A target before the index of its item is known. */
type Found = Omit<Target, 'item'>;
type ItemProblem = 'ENTRY_INVALID' | 'ENTRY_PROTECTED' | 'ENTRY_TOO_WIDE';

/** The items and the operation. `find` only looks up the items. */
export interface TargetRequest extends Pick<EntryChange, 'items' | 'subjects'> {
  readonly op: ChangeOp | 'find';
}

/** Returns all targets, or refuses the invalid items. An operation is applied as a whole or not at all. */
export function targetsOf(wanted: TargetRequest, keys: ListKeys): ChangeResult<Target[]> {
  const { items, op } = wanted;
  const targets: Target[] = [];
  const seen = new Map<string, string | null>();
  const problems: { index: number; code: ItemProblem; message: string }[] = [];
  for (const [index, item] of items.entries()) {
    const found = 'source' in item ? sourceOf(item.source, wanted, keys) : numberOf(item.number, op);
    if (!found.ok) {
      problems.push({ index, code: found.code, message: found.message });
      continue;
    }
    for (const target of found.value) {
      const name = `${target.kind} ${target.high} ${target.low}`;
      if (!seen.has(name)) targets.push({ ...target, item: index });
      // Different sender IDs can share a target if they look alike.
      else if (seen.get(name) === target.source) {
        problems.push({ index, code: 'ENTRY_INVALID', message: 'is a duplicate' });
      }
      seen.set(name, target.source);
    }
  }
  const [first] = problems;
  if (first === undefined && targets.length > BULK_ENTRIES_MAX) {
    const most = `but at most ${BULK_ENTRIES_MAX} are allowed: a sender ID with look-alike letters counts twice`;
    return refuseField('items', `creates ${targets.length} entries, ${most}`);
  }
  if (first === undefined) return ok(targets);
  if (op === 'find') return refuse(first.code, `the number or source ${first.message}`);
  const others = problems.length === 1 ? '' : `, and ${problems.length - 1} more`;
  const message = `"items[${first.index}]" ${first.message}${others}; nothing was changed`;
  return refuse(first.code, message, { extras: { items: problems.slice(0, ITEMS_SHOWN_MAX) } });
}

type Targets = Result<Found[], Failure<ItemProblem>>;

/** A block covers a sender ID and everything that looks like it. An unblock covers only its own spelling. */
function sourceOf(text: string, { op, subjects }: TargetRequest, keys: ListKeys): Targets {
  const parsed = parseSource(text);
  if (!parsed.ok) return fail('ENTRY_INVALID', `${parsed.message}; send a number as "number"`);
  // Such an entry would never match: only senders can be sources.
  if ((op === 'block' || op === 'unblock') && !subjects.includes('from')) {
    return fail('ENTRY_INVALID', 'is not a number: a recipient must be a number');
  }
  const { spelling, skeleton } = fingerprintsOf(parsed.value, keys.sourceSeed);
  const fingerprints = op === 'unblock' ? [spelling] : [...new Set([spelling, skeleton])];
  const source = formatSource(parsed.value);
  const alike = op === 'unblock' && skeleton !== spelling ? fingerprintKey(skeleton) : null;
  return ok(fingerprints.map((fingerprint) => ({ ...fingerprintKey(fingerprint), source, alike })));
}

function numberOf(text: string, op: TargetRequest['op']): Targets {
  if (/\*\s*$|\.\./.test(text)) {
    return fail('ENTRY_TOO_WIDE', 'is a range or a prefix: put it on a list of a release');
  }
  const party = parseListed(text);
  if (party.kind === 'shortCode') {
    // Short codes have no entries, so a lookup finds none.
    if (op === 'find') return ok([]);
    const message = isEmergency(party.code)
      ? 'is an emergency number'
      : 'is a short code: the numbering plan decides its verdict';
    return fail('ENTRY_PROTECTED', message);
  }
  if (party.kind === 'localNumber') {
    return fail('ENTRY_INVALID', 'lacks its area code: add it, or write + and the country code');
  }
  if (party.kind === 'ambiguous' || (party.kind === 'number' && party.carrierPrefix !== null)) {
    const message = 'can mean several numbers: write + and the country code, not 00 or a carrier prefix';
    return fail('ENTRY_INVALID', message);
  }
  if (party.kind !== 'number') return fail('ENTRY_INVALID', 'is not a number');
  const { n } = party;
  const target = { ...numberKey(n), source: null, alike: null };
  if (op === 'find') return ok([target]);
  if (isEmergencyNumber(n)) return fail('ENTRY_PROTECTED', 'is an emergency number');
  if (findTestNumber(n) !== null) {
    return fail('ENTRY_PROTECTED', 'is a test number: its verdict is fixed');
  }
  if (!isValidNumber(n)) {
    return fail('ENTRY_INVALID', 'is not a possible number: check its length and country code');
  }
  return ok([target]);
}
